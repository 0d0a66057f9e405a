import assert from "node:assert/strict";
import { test } from "node:test";
import { openDataset } from "../../../worker/data/open.ts";
import { viewOf, writeView } from "../../../worker/data/views.ts";
import { contents, fails, idx, idxJob, scratch } from "./samples.ts";

const key = (shift: number, flip: boolean, seed = 1, epoch = 0) => ({ spec: { shift, flip }, seed, epoch });

test("a view moves right and down, then mirrors; the background moves in", () => {
  const floats = Float32Array.from({ length: 6 }, (_, at) => at + 1); // 1 2 3 / 4 5 6
  const image = {
    shape: [2, 3, 1],
    background: -9,
    copy: (from: number, length: number, into: Float32Array, at: number) =>
      into.set(floats.subarray(from, from + length), at),
  };
  const seen = (dx: number, dy: number, flip: boolean) => {
    const into = new Float32Array(8).fill(77);
    writeView({ dx, dy, flip }, image, 0, into, 1);
    assert.deepEqual([into[0], into[7]], [77, 77], "nothing around it is touched");
    return [...into.subarray(1, 7)];
  };
  assert.deepEqual(seen(0, 0, false), [1, 2, 3, 4, 5, 6]);
  assert.deepEqual(seen(1, 0, false), [-9, 1, 2, -9, 4, 5]);
  assert.deepEqual(seen(-2, 0, false), [3, -9, -9, 6, -9, -9]);
  assert.deepEqual(seen(0, 1, false), [-9, -9, -9, 1, 2, 3]);
  assert.deepEqual(seen(1, -1, false), [-9, 4, 5, -9, -9, -9]);
  assert.deepEqual(seen(0, 0, true), [3, 2, 1, 6, 5, 4]);
  assert.deepEqual(seen(1, 0, true), [2, 1, -9, 5, 4, -9]);
  assert.deepEqual(seen(5, 0, false), Array(6).fill(-9));
  assert.deepEqual(seen(0, -5, true), Array(6).fill(-9));
});

test("mirroring keeps a pixel's channels together", () => {
  const floats = Float32Array.of(1, 2, 3, 4, 5, 6, 7, 8, 9);
  const copy = (from: number, length: number, into: Float32Array, at: number) =>
    into.set(floats.subarray(from, from + length), at);
  const into = new Float32Array(9);
  writeView({ dx: 1, dy: 0, flip: true }, { shape: [1, 3, 3], background: 0, copy }, 0, into, 0);
  assert.deepEqual([...into], [4, 5, 6, 1, 2, 3, 0, 0, 0]);
});

test("moves cover the range evenly and independently, and every second view is mirrored", () => {
  const examples = 20_000;
  const cells = new Map<string, number>();
  for (let example = 0; example < examples; example++) {
    const { dx, dy, flip } = viewOf(key(2, true), example);
    const cell = `${dx},${dy},${flip}`;
    cells.set(cell, (cells.get(cell) ?? 0) + 1);
  }
  assert.equal(cells.size, 5 * 5 * 2);
  for (const [cell, count] of cells) assert.ok(Math.abs(count - 400) < 100, `${cell}: ${count} of ${examples}`); // 5 sigma
  for (const dx of [-2, -1, 0, 1, 2]) for (const dy of [-2, -1, 0, 1, 2]) assert.ok(cells.has(`${dx},${dy},true`));
});

test("without flip nothing is mirrored, without shift nothing moves", () => {
  for (let example = 0; example < 100; example++) {
    assert.equal(viewOf(key(3, false), example).flip, false);
    const { dx, dy } = viewOf(key(0, true), example);
    assert.deepEqual([dx, dy], [0, 0]);
  }
});

const images = {
  "train-images": idx(
    [40, 5, 5],
    Array.from({ length: 1000 }, (_, at) => 1 + (at % 251)),
  ),
  "train-labels": idx(
    [40],
    Array.from({ length: 40 }, (_, at) => at % 3),
  ),
  "test-images": idx([1, 5, 5], Array(25).keys()),
  "test-labels": idx([1], [0]),
};

test("a view is the same alone, in any order and again, and differs by epoch and seed", async (t) => {
  const dataset = await openDataset(idxJob(), await scratch(t, images));
  const all = contents(dataset, "train", key(2, true)).values;
  const backwards = Uint32Array.from({ length: 40 }, (_, at) => 39 - at);
  const into = new Float32Array(1000);
  dataset.examples("train", backwards, key(2, true), into);
  for (let example = 0; example < 40; example++) {
    const at = (39 - example) * 25;
    assert.deepEqual([...into.subarray(at, at + 25)], all.slice(example * 25, example * 25 + 25));
  }
  assert.deepEqual(contents(dataset, "train", key(2, true)).values, all);
  assert.notDeepEqual(contents(dataset, "train", key(2, true, 1, 1)).values, all);
  assert.notDeepEqual(contents(dataset, "train", key(2, true, 2, 0)).values, all);
  assert.notDeepEqual(contents(dataset, "train").values, all);
});

test("what moves in is the normalised 0", async (t) => {
  const dataset = await openDataset(idxJob({ normalization: { mean: 0.5, std: 0.25 } }), await scratch(t, images));
  const moved = contents(dataset, "train", key(2, false)).values;
  const plain = contents(dataset, "train").values;
  assert.ok(!plain.includes(-2), "no pixel is 0");
  for (let example = 0; example < 40; example++) {
    const { dx, dy } = viewOf(key(2, false), example);
    const background = moved.slice(example * 25, example * 25 + 25).filter((value) => value === -2).length;
    assert.equal(background, 25 - (5 - Math.abs(dx)) * (5 - Math.abs(dy)));
  }
});

test("views of what is no image, or that leave nothing of it, are refused with their field", async (t) => {
  const table = { ...images, "train-images": idx([40, 2], Array(80).keys()), "test-images": idx([1, 2], [1, 2]) };
  const folder = await scratch(t, table);
  await assert.rejects(
    openDataset(idxJob({}, { shift: 1 }), folder),
    fails("bad_job", /^distil\.views\.shift: needs images/),
  );
  await assert.rejects(
    openDataset(idxJob({}, { flip: true }), folder),
    fails("bad_job", /^distil\.views\.flip: needs images/),
  );
  await assert.rejects(
    openDataset(idxJob({}, { shift: 5 }), await scratch(t, images)),
    fails("bad_job", /^distil\.views\.shift: 5 pixels/),
  );
});
