/** Datasets in IDX, plain and packed. */
import { gzipSync } from "node:zlib";
import type { Job } from "../../../../core/job.ts";
import { openDataset } from "../../../../worker/data/open.ts";
import { contents, idx, idxHeader, idxJob, tinyIdx } from "../../../worker/data/samples.ts";
import { type Folder, type Nasty, promise, type Target, withFiles } from "../target.ts";

const plain: Folder = { files: tinyIdx };
const floats = (dimensions: readonly number[], values: readonly number[]) => {
  const body = Buffer.alloc(4 * values.length);
  for (const [at, value] of values.entries()) body.writeFloatBE(value, 4 * at);
  return Buffer.concat([idxHeader(0x0d, dimensions), body]);
};
const table = withFiles(plain, {
  "train-images": floats([3, 2], [1.5, -2, 0, 4e6, 1, 2]),
  "test-images": floats([2, 2], [7, 8, 9, 10]),
});
const packed = withFiles(plain, {
  "train-images": gzipSync(tinyIdx["train-images"]),
  "train-labels": gzipSync(tinyIdx["train-labels"]),
});
const refused = (files: Record<string, Uint8Array>): Nasty => ({ ...withFiles(plain, files), must: "be refused" });
const most = 2 ** 32 - 1;

/** Packed pieces one after the other unpack to one after the other: this took no memory to make. */
export function bombOf(piece: Uint8Array, times: number): Buffer {
  return Buffer.concat(Array<Buffer>(times).fill(gzipSync(piece)));
}

const header = (type: number, rank: number) => Buffer.from([0, 0, type, rank]);

export const target: Target = {
  open: async () => ({
    seeds: [plain, table, packed],
    nasties: {
      "sides of 2^32 - 1": refused({ "train-images": idxHeader(8, [most, most, most]) }),
      "more examples than numbers": refused({ "train-images": idxHeader(8, [most, 2, 2]) }),
      "255 dimensions": refused({ "train-images": idxHeader(8, Array(255).fill(most)) }),
      "255 dimensions of 1": refused({ "train-images": idx(Array(255).fill(1), [1]) }),
      "255 dimensions, and none there": refused({ "train-images": header(8, 255) }),
      "labels of 2^31": refused({ "train-labels": idxHeader(8, [2 ** 31]) }),
      "floats that are none": refused({ "train-images": floats([3, 2], [Number.NaN, 1, 2, 3, 4, 5]) }),
      "floats that are endless": refused({ "train-images": floats([3, 2], [Number.POSITIVE_INFINITY, 1, 2, 3, 4, 5]) }),
      "a bomb of gzip": refused({ "train-images": bombOf(Buffer.alloc(1 << 20), 300) }),
      "a bomb of gzip with a right header": refused({
        "train-images": Buffer.concat([
          gzipSync(idxHeader(8, [3, 10_240, 10_240])),
          bombOf(Buffer.alloc(1 << 20), 300),
        ]),
      }),
      "gzip with something after it": withFiles(plain, {
        "train-images": Buffer.concat([gzipSync(tinyIdx["train-images"]), Buffer.from("more")]),
      }),
      "gzip of gzip": refused({ "train-images": gzipSync(gzipSync(tinyIdx["train-images"])) }),
      "two packed one after the other": {
        ...withFiles(plain, {
          "train-images": Buffer.concat([
            gzipSync(tinyIdx["train-images"].subarray(0, 9)),
            gzipSync(tinyIdx["train-images"].subarray(9)),
          ]),
        }),
        must: "be taken",
      },
      "a folder in place of a file": {
        files: { ...without("train-images"), "train-images/x": Buffer.alloc(1) },
        must: "be refused",
      },
      "a link to itself": {
        files: without("test-labels"),
        links: { "test-labels": "test-labels" },
        must: "be refused",
      },
      "a link to what has no end": {
        files: without("test-labels"),
        links: { "test-labels": "/dev/zero" },
        must: "be refused",
      },
    },
    async read(folder) {
      await check(idxJob(), folder);
      await check(idxJob({ limit: 2, testLimit: 1, validation: 1, normalization: "standardize" }), folder);
    },
  }),
};

function without(name: keyof typeof tinyIdx): Folder["files"] {
  const { [name]: _, ...others } = tinyIdx;
  return others;
}

/** What every reader of datasets promises. */
export async function check(job: Job, folder: string): Promise<void> {
  const dataset = await openDataset(job, folder);
  const size = dataset.shape.reduce((product, side) => product * side, 1);
  for (const split of ["train", "validation", "test"] as const) {
    const { values, labels } = contents(dataset, split);
    promise(split === "validation" || labels.length > 0, `it has no examples of ${split}`);
    promise(values.length === labels.length * size && values.every(Number.isFinite), "its examples are no numbers");
    promise(
      labels.every((label) => label >= 0 && label < dataset.classes),
      "it has a label of no class",
    );
  }
  promise(dataset.classes >= 2 && dataset.classes <= 65_536, `it has ${dataset.classes} classes`);
}
