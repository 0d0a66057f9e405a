/** Checkpoints to save in tests: every vector is a function of the step. */
import { layoutOf } from "../../../core/layout.ts";
import type { Checkpoint } from "../../../worker/artifacts/checkpoint.ts";
import { weightsSha256 } from "../../../worker/artifacts/digest.ts";

export const layout = layoutOf([
  { name: "dense/kernel", shape: [30, 20], trainable: true, decays: true, maxNorm: 2 },
  { name: "norm/moving_mean", shape: [20], trainable: false, decays: false, averagingMomentum: 0.9 },
  { name: "dense/bias", shape: [20], trainable: true, decays: false },
]);
export const order = ["dense/kernel", "dense/bias", "norm/moving_mean"];

export function sampleCheckpoint(step: number): Checkpoint {
  // In shared memory, as a worker's vectors are.
  const weights = new Float32Array(new SharedArrayBuffer(layout.weights * 4)).map((_, i) => Math.sin(step + i));
  const state = new Float32Array(new SharedArrayBuffer(layout.trainable * 8)).map((_, i) => Math.cos(step * i));
  const seen = new Uint8Array(new SharedArrayBuffer(50)).map((_, i) => (i < step % 50 ? 1 : 0));
  return {
    stage: "distil",
    step,
    term: 3,
    jobSha256: "a".repeat(64),
    datasetDigest: "b".repeat(64),
    weightsSha256: weightsSha256(order, layout, weights),
    layout,
    weights,
    optimizer: { slots: ["m", "v"], state },
    ledger: { seen, consumed: { epochs: 2, seen: 100, duplicated: 0, missing: 0 } },
    skips: { total: 2, inARow: 1 },
  };
}
