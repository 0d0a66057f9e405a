import assert from "node:assert/strict";
import { mkdir, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { gzipSync } from "node:zlib";
import { openDataset } from "../../../worker/data/open.ts";
import { contents, fails, idx, idxHeader, idxJob, scratch, tinyIdx } from "./samples.ts";

test("reads bytes as images of one channel, with their labels", async (t) => {
  const dataset = await openDataset(idxJob({ normalization: "none" }), await scratch(t, tinyIdx));
  assert.deepEqual(dataset.shape, [2, 2, 1]);
  assert.equal(dataset.classes, 3);
  assert.deepEqual(contents(dataset, "train"), { values: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11], labels: [0, 2, 1] });
  assert.deepEqual(contents(dataset, "test").values, [255, 254, 253, 252, 251, 250, 249, 248]);
});

test("gzip is seen by content: under its .gz name, a plain name, or in place of a missing file", async (t) => {
  const plain = await openDataset(idxJob(), await scratch(t, tinyIdx));
  const folder = await scratch(t, {
    "train-images": gzipSync(tinyIdx["train-images"]),
    "train-labels.gz": gzipSync(tinyIdx["train-labels"]),
    "test-images.gz": gzipSync(tinyIdx["test-images"]),
    "test-labels.gz": tinyIdx["test-labels"],
  });
  const files = { test: { examples: "test-images.gz", labels: "test-labels" } };
  assert.equal((await openDataset(idxJob(files), folder)).digest, plain.digest);
});

test("reads float32 and keeps the shape of tables and of images with channels", async (t) => {
  const floats = (dimensions: number[], values: number[]) => {
    const body = Buffer.alloc(4 * values.length);
    for (const [at, value] of values.entries()) body.writeFloatBE(value, 4 * at);
    return Buffer.concat([idxHeader(0x0d, dimensions), body]);
  };
  const labels = { "train-labels": idx([2], [0, 1]), "test-labels": idx([1], [1]) };
  const job = idxJob({ normalization: "none" });
  const table = await openDataset(
    job,
    await scratch(t, {
      ...labels,
      "train-images": floats([2, 2], [1.5, -2, 0, 4e6]),
      "test-images": floats([1, 2], [7, 8]),
    }),
  );
  assert.deepEqual(table.shape, [2]);
  assert.deepEqual(contents(table, "train").values, [1.5, -2, 0, 4e6]);
  const channels = await openDataset(
    job,
    await scratch(t, {
      ...labels,
      "train-images": idx([2, 1, 2, 3], Array(12).keys()),
      "test-images": idx([1, 1, 2, 3], Array(6).keys()),
    }),
  );
  assert.deepEqual(channels.shape, [1, 2, 3]);
  const endless = {
    ...labels,
    "train-images": floats([2, 2], [1, 2, Number.NaN, 3]),
    "test-images": floats([1, 2], [7, 8]),
  };
  await assert.rejects(
    openDataset(job, await scratch(t, endless)),
    fails("bad_data", /train-images: element 2 is NaN/),
  );
});

test("of a file with more than the job takes only the beginning is read, and its length is checked all the same", async (t) => {
  const [count, side] = [2 ** 17, 256];
  const folder = await scratch(t, {
    "train-images": Buffer.concat([idxHeader(0x08, [count, side, side]), Buffer.from([9, 8, 7])]),
    "train-labels": idx([count], Array(count).fill(1)),
    "test-images": idx([1, side, side], Array(side ** 2).fill(0)),
    "test-labels": idx([1], [0]),
  });
  const path = join(folder, "train-images");
  // 8 GiB, which lie on no disk and fit into no buffer.
  await truncate(path, 16 + count * side ** 2);
  const job = idxJob({ limit: 2, normalization: "none" });
  const { values, labels } = contents(await openDataset(job, folder), "train");
  assert.deepEqual([values.length, labels, values.slice(0, 4)], [2 * side ** 2, [1, 1], [9, 8, 7, 0]]);
  await truncate(path, 15 + count * side ** 2);
  await assert.rejects(
    openDataset(job, folder),
    fails("bad_data", /train-images: truncated: expected 8589934608 bytes/),
  );
});

const good = tinyIdx["train-images"];
const broken: Record<string, [Partial<Record<keyof typeof tinyIdx, Buffer>>, RegExp]> = {
  "a truncated file": [
    { "train-images": good.subarray(0, 20) },
    /train-images: truncated: expected 28 bytes for 3×2×2 elements, found 20$/,
  ],
  "a header cut short": [
    { "train-labels": good.subarray(0, 6) },
    /train-labels: truncated: expected 16 bytes of header, found 6$/,
  ],
  "an empty file": [{ "test-labels": Buffer.alloc(0) }, /test-labels: truncated: expected 4 bytes of header, found 0$/],
  "bytes too many": [
    { "test-images": Buffer.concat([tinyIdx["test-images"], Buffer.alloc(3)]) },
    /test-images: 3 bytes too many: expected 24 bytes, found 27$/,
  ],
  "a corrupt magic": [
    { "train-images": Buffer.from([1, 2, ...good.subarray(2)]) },
    /train-images: corrupt IDX header: begins with 01020803/,
  ],
  "an unknown type": [
    { "train-images": Buffer.from([0, 0, 0x0c, ...good.subarray(3)]) },
    /train-images: corrupt IDX header: element type 0x0c/,
  ],
  "no dimensions": [
    { "train-images": Buffer.from([0, 0, 8, 0, 1]) },
    /train-images: corrupt IDX header: no dimensions/,
  ],
  "a dimension of 0": [
    { "train-images": idx([0, 2, 2], []) },
    /train-images: corrupt IDX header: a dimension is 0 in 0×2×2/,
  ],
  "counts that differ": [
    { "train-labels": idx([2], [0, 1]) },
    /train-labels: 2 labels for the 3 examples of .*train-images$/,
  ],
  "labels as examples": [{ "train-images": tinyIdx["train-labels"] }, /train-images: .*this file has 1; .*labels\?$/],
  "examples as labels": [{ "train-labels": good }, /train-labels: .*this file has 3; .*examples\?$/],
  "float labels": [
    { "train-labels": Buffer.concat([idxHeader(0x0d, [3]), Buffer.alloc(12)]) },
    /train-labels: labels must be unsigned bytes/,
  ],
  "test images of another shape": [{ "test-images": idx([2, 1, 4], Array(8).keys()) }, /test-images: .*1×4×1.*2×2×1$/],
  "test images of another type": [
    { "test-images": Buffer.concat([idxHeader(0x0d, [2, 2, 2]), Buffer.alloc(32)]) },
    /test-images: .*another type/,
  ],
  "truncated gzip": [
    { "train-images": gzipSync(good).subarray(0, 25) },
    /train-images: truncated: gzip data ends after 25 bytes/,
  ],
  "corrupt gzip": [
    { "train-images": Buffer.from([0x1f, 0x8b, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9]) },
    /train-images: corrupt gzip data/,
  ],
};

for (const [name, [files, says]] of Object.entries(broken)) {
  test(`${name} is an error that names the file`, async (t) => {
    const folder = await scratch(t, { ...tinyIdx, ...files });
    await assert.rejects(openDataset(idxJob(), folder), fails("bad_data", says));
  });
}

test("a file that is missing or is a folder is an error that names it", async (t) => {
  const folder = await scratch(t, { "train-images": good });
  await assert.rejects(
    openDataset(idxJob(), folder),
    fails("bad_data", /train-labels: no such file, nor train-labels\.gz/),
  );
  await mkdir(join(folder, "train-labels"));
  await assert.rejects(
    openDataset(idxJob(), folder),
    fails("bad_data", /train-labels: cannot be read: it is a folder, and a file is needed/),
  );
});

test("npm: finds the package installed for the job before Limbeck's own, and says when there is none", async (t) => {
  const folder = await scratch(t);
  const inside = join(folder, "node_modules/@tiny/digits/files");
  await mkdir(inside, { recursive: true });
  for (const [name, bytes] of Object.entries(tinyIdx)) await writeFile(join(inside, name), bytes);
  const job = join(folder, "jobs");
  assert.equal((await openDataset(idxJob({ path: "npm:@tiny/digits/files" }), job)).count("train"), 3);
  await assert.rejects(
    openDataset(idxJob({ path: "npm:no-such-package/files" }), job),
    fails("bad_data", /dataset\.path: the npm package no-such-package is not installed/),
  );
  await assert.rejects(openDataset(idxJob({ path: "npm:../files" }), job), fails("bad_job", /dataset\.path: npm:/));
});
