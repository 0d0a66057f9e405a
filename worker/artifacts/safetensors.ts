/**
 * safetensors (huggingface/safetensors, format description): header length as 8-byte little-endian integer, a JSON
 * header padded with spaces so that the data starts at a multiple of 8, then the tensors without holes.
 */
import { z } from "zod";
import { LimbeckError } from "../../core/errors.ts";
import { excerpt } from "../../core/words.ts";
import { joinBytes } from "./bytes.ts";

const elementBytes = {
  F64: 8,
  I64: 8,
  U64: 8,
  F32: 4,
  I32: 4,
  U32: 4,
  F16: 2,
  BF16: 2,
  I16: 2,
  U16: 2,
  U8: 1,
  I8: 1,
  BOOL: 1,
} as const;
type SafeTensorType = keyof typeof elementBytes;

export interface SafeTensor {
  readonly name: string;
  readonly shape: readonly number[];
  readonly dtype: SafeTensorType;
  /** Little-endian elements, row by row. */
  readonly bytes: Uint8Array;
}

export interface SafeTensors {
  readonly tensors: readonly SafeTensor[];
  readonly metadata: Readonly<Record<string, string>>;
}

// The reference reader refuses longer headers.
const maxHeaderBytes = 100_000_000;
const metadataKey = "__metadata__";

const headerEntry = z.strictObject({
  dtype: z.enum(Object.keys(elementBytes) as [SafeTensorType, ...SafeTensorType[]]),
  shape: z.array(z.int().min(0)),
  data_offsets: z.tuple([z.int().min(0), z.int().min(0)]),
});
const metadataEntry = z.record(z.string(), z.string());

/**
 * Lays tensors out as a safetensors file. Wider elements come first, so that every tensor is aligned to its own.
 * @returns a copy: the tensors' bytes may change afterwards
 */
export function encodeSafetensors(
  tensors: readonly SafeTensor[],
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array {
  return joinBytes(safetensorsParts(tensors, metadata));
}

/** The same as its parts, one after another: the header, then the tensors' own bytes. */
export function safetensorsParts(
  tensors: readonly SafeTensor[],
  metadata: Readonly<Record<string, string>> = {},
): readonly Uint8Array[] {
  // Without a prototype a tensor may have any name.
  const header: Record<string, unknown> = Object.create(null);
  if (Object.keys(metadata).length > 0) header[metadataKey] = metadata;
  const placed = tensors.toSorted((a, b) => elementBytes[b.dtype] - elementBytes[a.dtype]);
  let end = 0;
  for (const { name, shape, dtype, bytes } of placed) {
    if (name === metadataKey || Object.hasOwn(header, name) || bytes.length !== tensorBytes(dtype, shape)) {
      throw new LimbeckError("internal", `tensor ${name} of ${bytes.length} bytes does not fit a safetensors file`);
    }
    header[name] = { dtype, shape, data_offsets: [end, end + bytes.length] };
    end += bytes.length;
  }
  const json = new TextEncoder().encode(JSON.stringify(header));
  const headerBytes = Math.ceil(json.length / 8) * 8;
  const start = new Uint8Array(8 + headerBytes).fill(0x20, 8);
  new DataView(start.buffer).setBigUint64(0, BigInt(headerBytes), true);
  start.set(json, 8);
  return [start, ...placed.map(({ bytes }) => bytes)];
}

/**
 * Reads a safetensors file.
 * @param name of the file, for messages
 * @returns tensors in the order of their data, as views of `file`
 * @throws LimbeckError `corrupt` where header, sizes and data do not fit each other
 */
export function decodeSafetensors(file: Uint8Array, name: string): SafeTensors {
  const refuse = (what: string, cause?: unknown): never => {
    throw new LimbeckError("corrupt", `${name} is not a whole safetensors file: ${what}`, { cause });
  };
  if (file.length < 8) refuse(`${file.length} bytes are too few`);
  const length = new DataView(file.buffer, file.byteOffset).getBigUint64(0, true);
  if (length > maxHeaderBytes || Number(length) > file.length - 8) {
    refuse(`a header of ${length} bytes in a file of ${file.length}`);
  }
  const data = file.subarray(8 + Number(length));
  const { [metadataKey]: rawMetadata, ...entries } = parseHeader(file.subarray(8, 8 + Number(length)), refuse);
  const metadata = metadataEntry.safeParse(rawMetadata ?? {});
  if (!metadata.success) return refuse(`${metadataKey} is not a map of strings`);
  let end = 0;
  const tensors = Object.entries(entries)
    .map(([tensor, raw]) => {
      const entry = headerEntry.safeParse(raw);
      return entry.success
        ? { name: tensor, ...entry.data }
        : refuse(`tensor ${excerpt(tensor)} is not described properly`);
    })
    .sort((a, b) => a.data_offsets[0] - b.data_offsets[0] || a.data_offsets[1] - b.data_offsets[1])
    .map(({ name: tensor, dtype, shape, data_offsets: [from, to] }): SafeTensor => {
      if (from !== end || to - from !== tensorBytes(dtype, shape) || to > data.length) {
        const what = `${excerpt(tensor)} [${excerpt(shape.join())}] ${dtype}`;
        refuse(`tensor ${what} cannot lie at bytes ${from} to ${to} of ${data.length}`);
      }
      end = to;
      return { name: tensor, shape, dtype, bytes: data.subarray(from, to) };
    });
  if (end !== data.length) refuse(`its tensors end at byte ${end} of ${data.length}`);
  return { tensors, metadata: metadata.data };
}

function parseHeader(bytes: Uint8Array, refuse: (what: string, cause?: unknown) => never): Record<string, unknown> {
  try {
    const header: unknown = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
    if (typeof header === "object" && header !== null && !Array.isArray(header))
      return header as Record<string, unknown>;
  } catch (cause) {
    return refuse("its header is not a JSON object", cause);
  }
  return refuse("its header is not a JSON object");
}

function tensorBytes(dtype: SafeTensorType, shape: readonly number[]): number {
  return shape.reduce((product, side) => product * side, elementBytes[dtype]);
}
