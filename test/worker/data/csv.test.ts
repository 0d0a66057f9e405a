import assert from "node:assert/strict";
import { test } from "node:test";
import { gzipSync } from "node:zlib";
import { openDataset } from "../../../worker/data/open.ts";
import { contents, csvJob, fails, scratch } from "./samples.ts";

const train = "x,label,y\n1,0,10\n2,2,20\n\n3.5,1,-3e1\n";
const test_ = "x,label,y\n4,1,40\n";
const plain = csvJob({ normalization: "none" });

test("reads numbers and labels, whatever the order of the test file's columns", async (t) => {
  const dataset = await openDataset(
    plain,
    await scratch(t, { "train.csv": train, "test.csv": "y, x ,label\r\n40,4,1\r\n" }),
  );
  assert.deepEqual(dataset.shape, [2]);
  assert.equal(dataset.classes, 3);
  assert.deepEqual(contents(dataset, "train"), { values: [1, 10, 2, 20, 3.5, -30], labels: [0, 2, 1] });
  assert.deepEqual(contents(dataset, "test"), { values: [4, 40], labels: [1] });
});

test("gzip, a byte order mark and quotes make no difference", async (t) => {
  const expected = await openDataset(plain, await scratch(t, { "train.csv": train, "test.csv": test_ }));
  const folder = await scratch(t, {
    "train.csv.gz": gzipSync(`\ufeff${train}`),
    "test.csv": '"x","label","y"\n"4",1,"40"',
  });
  assert.equal((await openDataset(plain, folder)).digest, expected.digest);
});

test("labels that are names become classes in sorted order of the training file", async (t) => {
  const files = { "train.csv": "x,label\n1,pear\n2,apple\n3,pear\n4,fig\n", "test.csv": "x,label\n1,fig\n2,pear\n" };
  const dataset = await openDataset(plain, await scratch(t, files));
  assert.equal(dataset.classes, 3);
  assert.deepEqual(contents(dataset, "train").labels, [2, 0, 2, 1]);
  assert.deepEqual(contents(dataset, "test").labels, [1, 2]);
  const limited = await openDataset(csvJob({ limit: 2 }), await scratch(t, files));
  assert.deepEqual([limited.classes, limited.count("train")], [3, 2]);
});

const named = "x,label\n1,pear\n2,fig\n";
const broken: Record<string, [Record<string, string>, RegExp]> = {
  "a cell that is no number": [
    { "train.csv": "x,label,y\n1,0,2\n3,1,many\n" },
    /train\.csv:3: column y is "many", not a number$/,
  ],
  "an empty cell, after an empty line": [
    { "test.csv": "x,label,y\n1,0,2\n\n,1,4\n" },
    /test\.csv:4: column x is empty, not a number$/,
  ],
  "an infinite cell": [{ "train.csv": "x,label,y\n1,0,1e999\n" }, /train\.csv:2: column y is "1e999"/],
  "a row too short": [{ "train.csv": "x,label,y\n1,0,2\n3,1\n" }, /train\.csv: .*expect 3, got 2 on line 3/],
  "a quote left open": [{ "train.csv": 'x,label,y\n1,0,"2\n' }, /train\.csv: .*line 2/],
  "a fraction as label": [
    { "train.csv": "x,label,y\n1,0,2\n3,1.5,4\n" },
    /train\.csv:3: column label .*"1\.5", must be a whole number/,
  ],
  "a negative label": [{ "test.csv": "x,label,y\n1,-1,2\n" }, /test\.csv:2: column label .*"-1"/],
  "an empty label": [{ "train.csv": "x,label,y\n1,,2\n" }, /train\.csv:2: column label \(the label\) is empty/],
  "a name the training file lacks": [
    { "train.csv": named, "test.csv": "x,label\n1,fig\n2,plum\n" },
    /test\.csv:3: .*"plum", must be one of .*train\.csv \(fig, pear\)$/,
  ],
  "no label column": [{ "train.csv": "x,y\n1,2\n" }, /train\.csv:1: no column is named label.*x, y$/],
  "nothing but labels": [{ "train.csv": "label\n1\n" }, /train\.csv:1: no columns but/],
  "a column twice": [{ "train.csv": "x,label,x\n1,0,2\n" }, /train\.csv:1: two columns are named x$/],
  "a column missing in the test file": [
    { "test.csv": "x,label\n1,0\n" },
    /test\.csv:1: column y of .*train\.csv is missing$/,
  ],
  "a column only in the test file": [
    { "test.csv": "x,label,y,z\n1,0,1,1\n" },
    /test\.csv:1: column z is not in .*train\.csv/,
  ],
  "no rows": [{ "train.csv": "x,label,y\n" }, /train\.csv: no examples/],
  "an empty file": [{ "test.csv": "" }, /test\.csv: no examples/],
  "a label beyond the classes": [
    { "test.csv": "x,label,y\n1,0,2\n\n1,7,2\n" },
    /test\.csv:4: example 1 has label 7, beyond the 3 classes/,
  ],
};

for (const [name, [files, says]] of Object.entries(broken)) {
  test(`${name} is an error with file and line`, async (t) => {
    const folder = await scratch(t, { "train.csv": train, "test.csv": test_, ...files });
    await assert.rejects(openDataset(plain, folder), fails("bad_data", says));
  });
}
