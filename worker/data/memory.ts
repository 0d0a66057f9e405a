/** A dataset held in memory: bytes stay bytes and are normalised through a table as they are read. */

import { createHash } from "node:crypto";
import { LimbeckError } from "../../core/errors.ts";
import { sizeOf } from "../../core/layout.ts";
import { permutation } from "../../core/permutation.ts";
import { purpose } from "../../core/random.ts";
import type { Dataset, Split } from "./dataset.ts";
import type { DatasetSpec, Decoded, DecodedFile, Values } from "./decoded.ts";
import { byteTable, normalised, type Scaling, scalingOf } from "./normalization.ts";
import { type CopyRun, viewOf, writeView } from "./views.ts";

/** Examples and labels of one file, normalised as they are copied. */
interface Source {
  readonly copy: CopyRun;
  readonly labels: Int32Array;
}

interface Part {
  readonly source: Source;
  /** Row of the source of every example of the split. */
  readonly rows: Uint32Array;
}

/**
 * Takes what the readers decoded, already limited to what the job uses.
 * @param spec `validation` must be below the number of training examples
 */
export function memoryDataset(decoded: Decoded, classes: number, spec: DatasetSpec): Dataset {
  const { shape, train, test } = decoded;
  const size = sizeOf(shape);
  const rows = heldOut(train.labels.length, spec.validation);
  const scaling = scalingOf(spec.normalization, { shape, values: train.values, rows: rows.train });
  const background = Math.fround((0 - scaling.offset[0]!) / scaling.divisor[0]!); // Views are for images: one scale.
  const source = sourceOf(train, scaling);
  const parts: Record<Split, Part> = {
    train: { source, rows: rows.train },
    validation: { source, rows: rows.validation },
    test: { source: sourceOf(test, scaling), rows: Uint32Array.from(test.labels.keys()) },
  };

  return {
    shape,
    classes,
    classNames: decoded.classNames ?? [],
    digest: digestOf(decoded, spec),
    count: (split) => parts[split].rows.length,
    // Indexed loops: this is the hot path of every step.
    examples(split, examples, view, into) {
      const { source, rows } = parts[split];
      checkRoom(split, examples, into.length / size);
      const image = { shape, background, copy: source.copy };
      for (let at = 0; at < examples.length; at++) {
        const from = rowOf(split, rows, examples[at]!) * size;
        if (view) writeView(viewOf(view, examples[at]!), image, from, into, at * size);
        else source.copy(from, size, into, at * size);
      }
    },
    labels(split, examples, into) {
      const { source, rows } = parts[split];
      checkRoom(split, examples, into.length);
      for (let at = 0; at < examples.length; at++) into[at] = source.labels[rowOf(split, rows, examples[at]!)]!;
    },
  };
}

/** Splits the rows of the training file; the same for every seed of a job, so that what is tuned on is never trained on. */
function heldOut(count: number, validation: number): { train: Uint32Array; validation: Uint32Array } {
  const place = permutation(count, purpose.holdout);
  const held = Uint32Array.from({ length: validation }, (_, position) => place(position)).sort();
  const isHeld = new Uint8Array(count);
  for (const row of held) isHeld[row] = 1;
  return { train: Uint32Array.from(isHeld.keys()).filter((row) => isHeld[row] === 0), validation: held };
}

/** @throws LimbeckError bad_data for what is beyond float32 once it is normalised */
function sourceOf({ values, labels, place }: DecodedFile, scaling: Scaling): Source {
  if (!(values instanceof Uint8Array)) {
    const floats = normalised(values, scaling);
    const beyond = floats.findIndex((value) => !Number.isFinite(value));
    if (beyond >= 0) {
      const example = Math.floor((beyond * labels.length) / floats.length);
      const message = `${place(example)} has the value ${values[beyond]}, which is beyond float32 once it is normalised`;
      throw new LimbeckError("bad_data", message);
    }
    return { labels, copy: (from, length, into, at) => into.set(floats.subarray(from, from + length), at) };
  }
  const table = byteTable(scaling);
  return {
    labels,
    copy(from, length, into, at) {
      for (let i = 0; i < length; i++) into[at + i] = table[values[from + i]!]!;
    },
  };
}

/** Everything that says what an example id stands for, so that equal digests mean equal examples (L6). */
function digestOf({ shape, train, test }: Decoded, { validation, normalization }: DatasetSpec): string {
  const scale = typeof normalization === "string" ? normalization : [normalization.mean, normalization.std];
  const hash = createHash("sha256");
  for (const { values, labels } of [train, test]) {
    hash.update(JSON.stringify([values.constructor.name, shape, labels.length]));
    for (const bytes of [...chunks(values), ...chunks(labels)]) hash.update(bytes);
  }
  return hash.update(JSON.stringify([validation, scale])).digest("hex");
}

/** Views of at most 256 MiB: one update takes less than 2 GiB. */
function* chunks({ buffer, byteOffset, byteLength }: Values | Int32Array): Generator<Uint8Array> {
  const most = 2 ** 28;
  for (let at = 0; at < byteLength; at += most) {
    yield new Uint8Array(buffer, byteOffset + at, Math.min(most, byteLength - at));
  }
}

function rowOf(split: Split, rows: Uint32Array, example: number): number {
  const row = rows[example];
  if (row !== undefined) return row;
  throw new LimbeckError("internal", `example ${example} of the ${split} split was asked for; it has ${rows.length}`);
}

function checkRoom(split: Split, examples: Uint32Array, room: number): void {
  if (examples.length <= room) return;
  throw new LimbeckError(
    "internal",
    `${examples.length} ${split} examples do not fit into room for ${Math.floor(room)}`,
  );
}
