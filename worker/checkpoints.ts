/** When and where this run's checkpoints are kept; what one is, artifacts/checkpoint.ts knows. */
import { join, relative } from "node:path";
import { pruneCheckpoints, saveCheckpoint } from "./artifacts/checkpoint.ts";
import { sha256Hex } from "./artifacts/digest.ts";
import type { WorkerContext } from "./context.ts";
import { optimizerSlots } from "./optimizers/slots.ts";
import type { Replica } from "./replica.ts";

/** Writes the replica as it is at the call, whole (L4), and forgets checkpoints beyond `checkpoint.keep`. */
export async function saveReplica(context: WorkerContext, replica: Replica, term: number, sha256: string) {
  const { job, runFolder, dataset } = context;
  const root = join(runFolder, "checkpoints");
  const { plan, step, layout, weights, optimizerState, consumption } = replica;
  const { examplesPerEpoch: _, ...consumed } = consumption.totals;
  const saved = await saveCheckpoint(root, {
    stage: plan.stage,
    step,
    term,
    jobSha256: sha256Hex(JSON.stringify(job)),
    datasetDigest: dataset.digest,
    weightsSha256: sha256,
    layout,
    weights,
    optimizer: { slots: optimizerSlots(plan.training?.optimizer ?? null), state: optimizerState },
    ledger: { seen: consumption.seen, consumed },
  });
  await pruneCheckpoints(root, plan.stage, job.checkpoint.keep);
  return { stage: plan.stage, step, folder: relative(runFolder, saved.folder), bytes: saved.bytes };
}
