import assert from "node:assert/strict";
import { mkdtemp, readdir, readFile, rename, rm, unlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { LimbeckError } from "../../../core/errors.ts";
import {
  dropCheckpoints,
  latestCheckpoint,
  loadCheckpoint,
  pruneCheckpoints,
  saveCheckpoint,
} from "../../../worker/artifacts/checkpoint.ts";
import { weightsSha256 } from "../../../worker/artifacts/digest.ts";
import { layout, order, sampleCheckpoint } from "./sample.ts";

let root = "";
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "limbeck-checkpoint-"));
});
afterEach(async () => rm(root, { recursive: true }));

test("a checkpoint comes back with every bit", async () => {
  const saved = sampleCheckpoint(12);
  const { folder, bytes } = await saveCheckpoint(root, saved);
  assert.equal(folder, join(root, "distil-00000012"));
  const sizes = await Promise.all(
    (await readdir(folder)).map(async (name) => (await readFile(join(folder, name))).length),
  );
  assert.equal(
    bytes,
    sizes.reduce((sum, size) => sum + size, 0),
  );
  const loaded = await loadCheckpoint(folder);
  assert.deepEqual(loaded, saved);
  assert.equal(weightsSha256(order, layout, loaded.weights), saved.weightsSha256);
});

test("plain SGD has no optimizer state, an epoch just begun has seen nothing", async () => {
  const sample = sampleCheckpoint(1);
  const bare = {
    ...sample,
    optimizer: { slots: [], state: new Float32Array() },
    ledger: { ...sample.ledger, seen: new Uint8Array() },
  };
  assert.deepEqual(await loadCheckpoint((await saveCheckpoint(root, bare)).folder), bare);
});

test("only what is early enough and not refused is taken, and a refusal says why", async () => {
  for (const step of [3, 6, 9]) await saveCheckpoint(root, sampleCheckpoint(step));
  const refuses = ({ step }: { step: number }) => (step === 6 ? "it is of another job" : null);
  const { latest, skipped } = await latestCheckpoint(root, "distil", { below: 9, refuses });
  assert.equal(latest?.checkpoint.step, 3);
  assert.deepEqual(skipped, [{ folder: join(root, "distil-00000006"), why: "it is of another job" }]);
});

test("a step that is redone replaces its checkpoint and leaves nothing beside it", async () => {
  await saveCheckpoint(root, { ...sampleCheckpoint(4), term: 1 });
  await saveCheckpoint(root, { ...sampleCheckpoint(4), term: 2 });
  assert.deepEqual(await readdir(root), ["distil-00000004"]);
  assert.equal((await latestCheckpoint(root, "distil")).latest?.checkpoint.term, 2);
});

test("any flipped byte is found, in whichever file", async () => {
  const { folder } = await saveCheckpoint(root, sampleCheckpoint(3));
  for (const name of await readdir(folder)) {
    const path = join(folder, name);
    const whole = await readFile(path);
    const stride = name === "manifest.json" ? 1 : Math.ceil(whole.length / 100);
    for (let at = 0; at < whole.length; at += stride) {
      const flipped = Buffer.from(whole);
      flipped[at]! ^= at % 2 === 0 ? 1 : 0x2a;
      await writeFile(path, flipped);
      await assert.rejects(loadCheckpoint(folder), isCorrupt(path), `byte ${at} of ${name}`);
    }
    await writeFile(path, whole.subarray(0, -1));
    await assert.rejects(loadCheckpoint(folder), isCorrupt(path));
    await unlink(path);
    await assert.rejects(loadCheckpoint(folder), isCorrupt(path));
    await writeFile(path, whole);
  }
  await loadCheckpoint(folder);
});

test("a corrupt checkpoint is skipped with its reason, and the one before it is used", async () => {
  for (const step of [2, 9, 10]) await saveCheckpoint(root, sampleCheckpoint(step));
  await saveCheckpoint(root, { ...sampleCheckpoint(50), stage: "baseline" });
  const newest = join(root, "distil-00000010");
  const weights = join(newest, "weights.safetensors");
  const bytes = await readFile(weights);
  bytes[bytes.length - 1]! ^= 1;
  await writeFile(weights, bytes);
  await rename(join(root, "distil-00000009"), join(root, "distil-00000011"));

  const { latest, skipped } = await latestCheckpoint(root, "distil");
  assert.equal(latest?.checkpoint.step, 2);
  assert.deepEqual(
    skipped.map(({ folder }) => folder),
    [join(root, "distil-00000011"), newest],
  );
  assert.match(skipped[0]!.why, /holds distil step 9: it was renamed/);
  assert.match(skipped[1]!.why, /weights\.safetensors is not what was written/);
});

test("a run without checkpoints has none", async () => {
  assert.deepEqual(await latestCheckpoint(join(root, "none"), "teach"), { latest: null, skipped: [] });
});

test("pruning keeps the newest of the stage and touches no other", async () => {
  for (const step of [1, 2, 3, 10]) await saveCheckpoint(root, sampleCheckpoint(step));
  await saveCheckpoint(root, { ...sampleCheckpoint(1), stage: "teach" });
  await pruneCheckpoints(root, "distil", { keep: 2 });
  assert.deepEqual((await readdir(root)).sort(), ["distil-00000003", "distil-00000010", "teach-00000001"]);
});

test("those of a replica that went wrong are dropped, from that step on, by several at once", async () => {
  for (const step of [1, 2, 3, 10]) await saveCheckpoint(root, sampleCheckpoint(step));
  await Promise.all([1, 2, 3].map(() => dropCheckpoints(root, "distil", 3)));
  assert.deepEqual((await readdir(root)).sort(), ["distil-00000001", "distil-00000002"]);
});

test("vectors that do not fit the layout are refused before anything is written", async () => {
  const wrong = { ...sampleCheckpoint(1), weights: new Float32Array(3) };
  await assert.rejects(saveCheckpoint(root, wrong), LimbeckError);
  assert.deepEqual(await readdir(root), []);
});

function isCorrupt(path: string): (thrown: unknown) => boolean {
  return (thrown) => thrown instanceof LimbeckError && thrown.code === "corrupt" && thrown.message.includes(path);
}
