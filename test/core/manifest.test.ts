import assert from "node:assert/strict";
import { test } from "node:test";
import { layoutOf } from "../../core/layout.ts";
import {
  checkpointName,
  checkpointStep,
  type Manifest,
  manifestLayout,
  manifestParameters,
  manifestSchema,
} from "../../core/manifest.ts";

const layout = layoutOf([
  { name: "dense/kernel", shape: [3, 2], trainable: true, decays: true, maxNorm: 3.5 },
  { name: "norm/moving_mean", shape: [2], trainable: false, decays: false, averagingMomentum: 0.99 },
  { name: "dense/bias", shape: [2], trainable: true, decays: false },
]);
const file = { bytes: 8, sha256: "0".repeat(64) };
const manifest: Manifest = {
  format: "limbeck-checkpoint",
  version: 2,
  stage: "distil",
  step: 7,
  term: 2,
  jobSha256: "a",
  datasetDigest: "b",
  weightsSha256: "c".repeat(64),
  parameters: manifestParameters(layout),
  slots: ["m", "v"],
  consumed: { epochs: 1, seen: 10, duplicated: 0, missing: 0 },
  skipped: 3,
  skippedInARow: 1,
  files: { "weights.safetensors": file, "optimizer.safetensors": file, "ledger.safetensors": file },
};

test("a layout comes back from its manifest", () => {
  const read = manifestSchema.parse(JSON.parse(JSON.stringify(manifest)));
  assert.deepEqual(manifestLayout(read), layout);
});

test("version 1 had no skipped steps", () => {
  const { skipped: _skipped, skippedInARow: _inARow, ...old } = manifest;
  assert.deepEqual(manifestSchema.parse({ ...old, version: 1 }), {
    ...manifest,
    version: 1,
    skipped: 0,
    skippedInARow: 0,
  });
});

test("a manifest of another version, or with keys unknown or missing, is refused", () => {
  const { step: _step, ...withoutStep } = manifest;
  for (const wrong of [
    { ...manifest, version: 3 },
    { ...manifest, extra: 1 },
    { ...manifest, step: -1 },
    { ...manifest, stage: "warmup" },
    { ...manifest, files: { ...manifest.files, "other.safetensors": file } },
    withoutStep,
  ]) {
    assert.ok(!manifestSchema.safeParse(wrong).success);
  }
});

test("names of checkpoints carry the step, and only of their own stage", () => {
  assert.equal(checkpointName("teach", 500), "teach-00000500");
  for (const step of [0, 12_345_678, 123_456_789]) {
    assert.equal(checkpointStep("teach", checkpointName("teach", step)), step);
  }
  assert.equal(checkpointStep("distil", "teach-00000500"), null);
  assert.equal(checkpointStep("teach", ".teach-00000500.tmp-host-1-00000000"), null);
  assert.equal(checkpointStep("teach", "teach-500"), null);
});
