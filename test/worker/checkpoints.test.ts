/** Which of the checkpoints of a run may be gone on from. */
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { layoutOf } from "../../core/layout.ts";
import { jobSha256 } from "../../proto/jobsha256.ts";
import { saveCheckpoint } from "../../worker/artifacts/checkpoint.ts";
import { findCheckpoint } from "../../worker/checkpoints.ts";
import { testJob } from "../coordinator/jobs.ts";
import { layout, sampleCheckpoint } from "./artifacts/sample.ts";

test("one whose vectors are not of the replica's sizes is passed over, whatever it says it is of", async (t) => {
  const runFolder = await mkdtemp(join(tmpdir(), "limbeck-checkpoints-"));
  t.after(() => rm(runFolder, { recursive: true }));
  const job = testJob();
  const saved = { ...sampleCheckpoint(3), jobSha256: jobSha256(job), datasetDigest: "d" };
  await saveCheckpoint(join(runFolder, "checkpoints"), saved);
  const context = { job, runFolder, depot: null, dataset: { digest: "d" } };
  const find = (trainExamples: number, of = layout) =>
    findCheckpoint(context, "distil", { replica: { layout: of, ledger: { trainExamples } } });
  assert.equal((await find(50)).found?.step, 3);
  const other = layoutOf([{ name: "dense/kernel", shape: [30, 20], trainable: true, decays: true }]);
  for (const { found, skipped } of [await find(51), await find(50, other)]) {
    assert.equal(found, null);
    assert.deepEqual(skipped, ["distil-00000003: what it holds is not of the sizes that it says it is of"]);
  }
});
