/** Small dataset files and the jobs that read them. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { LimbeckError } from "../../../core/errors.ts";
import { type Job, type JobInput, jobSchema } from "../../../core/job.ts";
import type { Dataset, Split, ViewKey } from "../../../worker/data/dataset.ts";

export async function scratch(t: TestContext, files: Record<string, Uint8Array | string> = {}): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "limbeck-data-"));
  t.after(() => rm(folder, { recursive: true }));
  for (const [name, content] of Object.entries(files)) await writeFile(join(folder, name), content);
  return folder;
}

/** An IDX file of unsigned bytes. */
export function idx(dimensions: readonly number[], bytes: Iterable<number>): Buffer {
  return Buffer.concat([idxHeader(0x08, dimensions), Buffer.from([...bytes])]);
}

export function idxHeader(type: number, dimensions: readonly number[]): Buffer {
  const header = Buffer.alloc(4 + 4 * dimensions.length);
  header.set([0, 0, type, dimensions.length]);
  for (const [axis, side] of dimensions.entries()) header.writeUInt32BE(side, 4 + 4 * axis);
  return header;
}

/** Three training and two test images of 2×2 bytes, counting up from 0 and down from 255. */
export const tinyIdx = {
  "train-images": idx([3, 2, 2], Array(12).keys()),
  "train-labels": idx([3], [0, 2, 1]),
  "test-images": idx([2, 2, 2], [255, 254, 253, 252, 251, 250, 249, 248]),
  "test-labels": idx([2], [1, 0]),
};

type DatasetInput = Partial<JobInput["dataset"]>;

export function idxJob(dataset: DatasetInput = {}, views: JobInput["distil"]["views"] = {}): Job {
  const files = {
    train: { examples: "train-images", labels: "train-labels" },
    test: { examples: "test-images", labels: "test-labels" },
  };
  return job({ kind: "idx", path: ".", ...files, ...dataset }, views);
}

export function csvJob(dataset: DatasetInput = {}): Job {
  const files = { train: { examples: "train.csv" }, test: { examples: "test.csv" } };
  return job({ kind: "csv", path: ".", label: "label", ...files, ...dataset }, {});
}

function job(dataset: JobInput["dataset"], views: JobInput["distil"]["views"]): Job {
  const model = { kind: "mlp" as const, widths: [] };
  const optimizer = { kind: "sgd" as const, learningRate: 0.1 };
  return jobSchema.parse({
    name: "data",
    dataset,
    teacher: { load: "teacher" },
    student: model,
    distil: { temperature: 2, softWeight: 0.5, steps: 1, optimizer, views },
  });
}

/** Everything of a split. */
export function contents(dataset: Dataset, split: Split, view: ViewKey | null = null) {
  const ids = Uint32Array.from({ length: dataset.count(split) }, (_, example) => example);
  const size = dataset.shape.reduce((product, side) => product * side, 1);
  const values = new Float32Array(ids.length * size);
  const labels = new Int32Array(ids.length);
  dataset.examples(split, ids, view, values);
  dataset.labels(split, ids, labels);
  return { values: [...values], labels: [...labels] };
}

/** For assert.rejects: the code, and a message that matches. */
export function fails(code: LimbeckError["code"], ...says: RegExp[]): (thrown: unknown) => boolean {
  return (thrown) => {
    if (!(thrown instanceof LimbeckError) || thrown.code !== code) throw thrown;
    const unsaid = says.find((each) => !each.test(thrown.message));
    if (unsaid) throw new Error(`"${thrown.message}" does not match ${unsaid}`);
    return true;
  };
}
