/** Opening a job's dataset: the reader of its kind, then the checks and limits that are the same for all kinds. */

import { LimbeckError } from "../../core/errors.ts";
import type { Job } from "../../core/job.ts";
import { sizeOf } from "../../core/layout.ts";
import { readCsv } from "./csv.ts";
import type { Dataset } from "./dataset.ts";
import type { DatasetSpec, Decoded, DecodedFile, Reader } from "./decoded.ts";
import { dataFolder } from "./files.ts";
import { readIdx } from "./idx.ts";
import { memoryDataset } from "./memory.ts";

/** A new kind is a line here, a reader, and a word in the job's schema. */
const readers: Readonly<Record<DatasetSpec["kind"], Reader>> = { idx: readIdx, csv: readCsv };

/**
 * Reads the dataset whole and checks that it fits the job.
 * @param jobFolder folder of the job file, which relative paths start from
 * @throws LimbeckError bad_data with the file and what is wrong in it; bad_job with the field that does not fit
 */
export async function openDataset(job: Job, jobFolder: string): Promise<Dataset> {
  const spec = job.dataset;
  const decoded = await readers[spec.kind](spec, dataFolder(spec.path, jobFolder));
  const classes = spec.classes ?? classesIn(decoded.train);
  if (classes < 2) {
    throw new LimbeckError(
      "bad_data",
      `${decoded.train.place(0)} and all others are of class 0; at least 2 classes are needed`,
    );
  }
  for (const file of [decoded.train, decoded.test]) checkLabels(file, classes, spec);
  checkViews(job, decoded.shape);
  const size = sizeOf(decoded.shape);
  const train = limited(decoded.train, size, spec.limit);
  const test = limited(decoded.test, size, spec.testLimit);
  if (spec.validation >= train.labels.length) {
    throw new LimbeckError(
      "bad_job",
      `dataset.validation: ${spec.validation} of ${train.labels.length} training examples held out leave none to train on`,
    );
  }
  return memoryDataset({ ...decoded, train, test }, classes, spec);
}

/** A predicted class travels as 16 bits. */
const mostClasses = 2 ** 16;

/** The largest label and one more. */
function classesIn({ labels, place }: DecodedFile): number {
  const most = labels.reduce((largest, label) => Math.max(largest, label), 0);
  if (most < mostClasses) return most + 1;
  const message = `${place(labels.indexOf(most))} has label ${most}: labels are counted from 0, and at most ${mostClasses} classes are supported`;
  throw new LimbeckError("bad_data", message);
}

function checkLabels({ labels, place }: DecodedFile, classes: number, spec: DatasetSpec): void {
  const example = labels.findIndex((label) => label >= classes);
  if (example < 0) return;
  const source = spec.classes === undefined ? "found in the training labels" : "of dataset.classes";
  throw new LimbeckError(
    "bad_data",
    `${place(example)} has label ${labels[example]}, beyond the ${classes} classes ${source} (0 to ${classes - 1})`,
  );
}

function checkViews(job: Job, shape: Decoded["shape"]): void {
  for (const stage of ["teach", "distil"] as const) {
    const { shift = 0, flip = false } = job[stage]?.views ?? {};
    if (shape.length !== 3 && (shift > 0 || flip)) {
      const field = `${stage}.views.${shift > 0 ? "shift" : "flip"}`;
      throw new LimbeckError("bad_job", `${field}: needs images, and the examples are rows of ${shape[0]} numbers`);
    }
    const side = Math.min(shape[0]!, shape[1] ?? Number.POSITIVE_INFINITY);
    if (shift > 0 && shift >= side) {
      throw new LimbeckError(
        "bad_job",
        `${stage}.views.shift: ${shift} pixels move an image ${side} wide or high out of sight`,
      );
    }
  }
}

/** The first examples; copied, so that the rest is not kept in memory. */
function limited(file: DecodedFile, size: number, limit: number | undefined): DecodedFile {
  if (limit === undefined || limit >= file.labels.length) return file;
  return { ...file, values: file.values.slice(0, limit * size), labels: file.labels.slice(0, limit) };
}
