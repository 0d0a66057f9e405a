/** Examples as they are sent to be looked at. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { openDataset } from "../../worker/data/open.ts";
import { picturesOf } from "../../worker/pictures.ts";
import { csvJob, idx, idxJob, scratch, tinyIdx } from "./data/samples.ts";

test("images are bytes again, on one scale for all, in the order asked for", async (t) => {
  const folder = await scratch(t, tinyIdx);
  const dataset = await openDataset(idxJob(), folder);
  const pictures = picturesOf(dataset, "test", [1, 0]);
  assert.deepEqual(
    pictures.map(({ example, shape }) => [example, shape]),
    [
      [1, [2, 2, 1]],
      [0, [2, 2, 1]],
    ],
  );
  // 248 … 255, stretched from black to white: in steps of 255/7.
  const steps = (...sevenths: number[]) => Uint8Array.from(sevenths, (each) => Math.round((255 * each) / 7));
  assert.deepEqual(pictures[0]!.pixels, steps(3, 2, 1, 0));
  assert.deepEqual(pictures[1]!.pixels, steps(7, 6, 5, 4));
  assert.deepEqual(picturesOf(dataset, "test", []), []);
});

test("a large image is made smaller by means over squares", async (t) => {
  const side = 128;
  // Columns in turn black and white, but for a first pair that is all white.
  const pixels = Array.from({ length: side * side }, (_, at) => (at % side < 2 || at % 2 === 1 ? 255 : 0));
  const images = {
    "train-images": idx([1, side, side], pixels),
    "test-images": idx([2, side, side], [...pixels, ...pixels]),
  };
  const folder = await scratch(t, { ...tinyIdx, ...images, "train-labels": idx([1], [1]) });
  const [picture] = picturesOf(await openDataset(idxJob(), folder), "test", [0]);
  assert.deepEqual(picture!.shape, [64, 64, 1]);
  assert.deepEqual([...(picture!.pixels as Uint8Array).subarray(0, 3)], [255, 128, 128]);
});

test("what is no image is sent as its values", async (t) => {
  const csv = { "train.csv": "a,b,label\n0,4,cat\n2,8,dog\n", "test.csv": "a,b,label\n1,8,dog\n" };
  const dataset = await openDataset(csvJob(), await scratch(t, csv));
  assert.deepEqual(dataset.classNames, ["cat", "dog"]);
  assert.deepEqual(picturesOf(dataset, "test", [0]), [{ example: 0, shape: [2], values: [0.5, 1] }]);
});
