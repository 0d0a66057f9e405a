/**
 * IDX, MNIST's format (LeCun, Cortes, Burges, "The MNIST database of handwritten digits"): two zero bytes, element
 * type, number of dimensions, the dimensions as big-endian 32-bit words, then the elements, row-major, big-endian.
 */
import { join, resolve } from "node:path";
import { LimbeckError } from "../../core/errors.ts";
import type { Decoded, DecodedFile, Reader } from "./decoded.ts";
import { type DataFile, readDataFile, type Wanted } from "./files.ts";

interface Idx {
  readonly name: string;
  readonly dimensions: readonly number[];
  /** Of the first examples, as many as were read. */
  readonly elements: Uint8Array | Float32Array;
}

const elementBytes: ReadonlyMap<number, number> = new Map([
  [0x08, 1], // unsigned byte
  [0x0d, 4], // float32
]);

/** Examples of unsigned bytes or float32 and labels of unsigned bytes; plain or gzip. */
export const readIdx: Reader = async ({ train, test, limit, testLimit }, folder) => {
  const read = async (split: { examples: string; labels?: string | undefined }, most: number | undefined) => {
    const examples = readDataFile(resolve(folder, split.examples), firstExamples(most));
    const labels = readDataFile(resolve(folder, split.labels!)); // The job's schema wants it for idx.
    labels.catch(() => {}); // Of two that are missing the first is told, whichever was looked for faster.
    return paired(decodeIdx(await examples), decodeIdx(await labels));
  };
  const [training, testing] = [await read(train, limit), await read(test, testLimit)];
  if (training.shape.join() !== testing.shape.join()) {
    throw new LimbeckError(
      "bad_data",
      `${join(folder, test.examples)}: its examples are ${testing.shape.join("×")}, those of ${train.examples} ${training.shape.join("×")}`,
    );
  }
  if (training.file.values.constructor !== testing.file.values.constructor) {
    throw new LimbeckError(
      "bad_data",
      `${join(folder, test.examples)}: its elements are of another type than those of ${train.examples}`,
    );
  }
  return { shape: training.shape, train: training.file, test: testing.file };
};

function paired(examples: Idx, labels: Idx): Pick<Decoded, "shape"> & { file: DecodedFile } {
  const [count, ...inner] = examples.dimensions;
  const rank = examples.dimensions.length;
  if (rank < 2 || rank > 4) {
    const hint = rank === 1 ? "; is it the file of the labels?" : "";
    refuse(examples.name, `examples must have 2, 3 or 4 dimensions, this file has ${rank}${hint}`);
  }
  if (labels.dimensions.length !== 1) {
    const hint = "is it the file of the examples?";
    refuse(labels.name, `labels must have 1 dimension, this file has ${labels.dimensions.length}; ${hint}`);
  }
  if (!(labels.elements instanceof Uint8Array)) refuse(labels.name, "labels must be unsigned bytes, these are float32");
  if (labels.elements.length !== count) {
    refuse(labels.name, `${labels.elements.length} labels for the ${count} examples of ${examples.name}`);
  }
  return {
    shape: inner.length === 2 ? [...inner, 1] : inner,
    file: {
      values: examples.elements,
      labels: Int32Array.from(labels.elements),
      place: (example) => `${labels.name}: example ${example}`,
    },
  };
}

/** Where a header is not what it should be, all: what is wrong shows when it is decoded. */
function firstExamples(most: number | undefined): Wanted | undefined {
  if (most === undefined) return undefined;
  return (head) => {
    const [, , type, rank] = head;
    const size = elementBytes.get(type!);
    const start = 4 + 4 * rank!;
    if (size === undefined || head.length < start) return Number.POSITIVE_INFINITY;
    const [, ...inner] = dimensionsIn(head, rank!);
    return start + most * inner.reduce((product, dimension) => product * dimension, size);
  };
}

function dimensionsIn(header: Buffer, rank: number): number[] {
  return Array.from({ length: rank }, (_, axis) => header.readUInt32BE(4 + 4 * axis));
}

function decodeIdx({ name, bytes, size: found }: DataFile): Idx {
  needBytes(name, found, 4);
  const [zero, alsoZero, type, rank] = bytes as unknown as [number, number, number, number];
  if (zero !== 0 || alsoZero !== 0) {
    refuse(name, `corrupt IDX header: begins with ${bytes.toString("hex", 0, 4)}, the first two bytes must be 0`);
  }
  const size = elementBytes.get(type);
  if (size === undefined) {
    const hex = type.toString(16).padStart(2, "0");
    refuse(name, `corrupt IDX header: element type 0x${hex}; known are 0x08 (unsigned byte) and 0x0d (float32)`);
  }
  if (rank === 0) refuse(name, "corrupt IDX header: no dimensions");
  const start = 4 + 4 * rank;
  needBytes(name, found, start);
  const dimensions = dimensionsIn(bytes, rank);
  if (dimensions.includes(0)) refuse(name, `corrupt IDX header: a dimension is 0 in ${dimensions.join("×")}`);
  const end = start + size * dimensions.reduce((product, dimension) => product * dimension, 1);
  needBytes(name, found, end, ` for ${dimensions.join("×")} elements`);
  if (found > end) refuse(name, `${found - end} bytes too many: expected ${end} bytes, found ${found}`);
  const body = bytes.subarray(start);
  const elements = size === 1 ? new Uint8Array(body.buffer, body.byteOffset, body.length) : floats(name, body);
  return { name, dimensions, elements };
}

function floats(name: string, bigEndian: Buffer): Float32Array {
  const values = new Float32Array(bigEndian.length / 4);
  for (let at = 0; at < values.length; at++) {
    values[at] = bigEndian.readFloatBE(4 * at);
    if (!Number.isFinite(values[at])) refuse(name, `element ${at} is ${values[at]}, not a finite number`);
  }
  return values;
}

function needBytes(name: string, found: number, expected: number, what = " of header"): void {
  if (found < expected) refuse(name, `truncated: expected ${expected} bytes${what}, found ${found}`);
}

function refuse(name: string, what: string): never {
  throw new LimbeckError("bad_data", `${name}: ${what}`);
}
