/** A process that saves checkpoints until it is killed: `saver ROOT`. Odd rounds replace the same step. */
import { pruneCheckpoints, saveCheckpoint } from "../../../worker/artifacts/checkpoint.ts";
import { sampleCheckpoint } from "./sample.ts";

const root = process.argv[2]!;
for (let round = 0; ; round++) {
  const step = Math.ceil(round / 2);
  await saveCheckpoint(root, sampleCheckpoint(step));
  process.send!(step);
  await pruneCheckpoints(root, "distil", { keep: 2 });
}
