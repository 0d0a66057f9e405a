/** Logits on the wire, little-endian: all of them as float16 or float32, or the largest with the tail's mass. */
import { LimbeckError } from "../../core/errors.ts";
import { encodeFloat16, fitsFloat16, valueOfFloat16 } from "../../core/float16.ts";
import { bytesOf } from "../bytes.ts";
import { decodeTop, encodeTop, topBytes } from "./topk.ts";

export interface LogitsFormat {
  readonly kind: "float16" | "float32" | "topk";
  /** Of topk: logits kept per example. */
  readonly k?: number;
  /** Of topk: the temperature at which the tail keeps its mass. */
  readonly temperature?: number;
}

/** As the job asks for it. */
export function formatOf(softTargets: { format: LogitsFormat["kind"]; k: number }, temperature: number): LogitsFormat {
  const { format: kind, k } = softTargets;
  return kind === "topk" ? { kind, k, temperature } : { kind };
}

/** Its name on the wire and in keys: equal names decode to equal bits. */
export function formatName({ kind, k, temperature }: LogitsFormat): string {
  return kind === "topk" ? `top${k}@${temperature}` : kind;
}

/** null where it is no name of a format. */
export function parseFormat(name: string): LogitsFormat | null {
  if (name === "float16" || name === "float32") return { kind: name };
  const [, k, temperature] = /^top([1-9]\d{0,5})@(\d+(?:\.\d+)?(?:e[-+]?\d+)?)$/.exec(name) ?? [];
  if (k === undefined || !(Number(temperature) > 0)) return null;
  return { kind: "topk", k: Number(k), temperature: Number(temperature) };
}

/** Bytes of an example of so many classes. */
export function bytesPerExample(format: LogitsFormat, classes: number): number {
  if (format.kind === "topk") return topBytes(format.k!, classes);
  return classes * (format.kind === "float16" ? 2 : 4);
}

/**
 * Logits in the format that was asked for. Where float16 cannot hold one of them they go as float32: an infinite logit
 * would make the loss NaN. The examples that fit get the values that the format gives them all the same: what a student
 * gets for an example must not depend on its lane, or a cached soft target would have other bits than a fresh one (L1).
 * @param logits [examples, classes]
 */
export function encodeLogits(
  logits: Float32Array,
  classes: number,
  asked: LogitsFormat,
): { format: LogitsFormat; bytes: Uint8Array } {
  if (asked.kind === "float32" || fitsFloat16(logits)) return { format: asked, bytes: encoded(logits, classes, asked) };
  const values = logits.slice();
  for (let at = 0; at < values.length; at += classes) {
    const example = logits.subarray(at, at + classes);
    if (!fitsFloat16(example)) continue;
    values.set(decodeLogits(encoded(example, classes, asked), asked, { examples: 1, classes }), at);
  }
  const format: LogitsFormat = { kind: "float32" };
  return { format, bytes: encoded(values, classes, format) };
}

function encoded(logits: Float32Array, classes: number, { kind, k, temperature }: LogitsFormat): Uint8Array {
  if (kind === "topk") return encodeTop(logits, { classes, k: k!, temperature: temperature! });
  return bytesOf(kind === "float16" ? encodeFloat16(logits) : logits);
}

/** [examples, classes]. Throws `corrupt` where the bytes are not so many examples of the format. */
export function decodeLogits(
  bytes: Uint8Array,
  format: LogitsFormat,
  { examples, classes }: { examples: number; classes: number },
): Float32Array {
  if (bytes.byteLength !== examples * bytesPerExample(format, classes)) {
    const should = `${examples * classes} values as ${formatName(format)}`;
    throw new LimbeckError("corrupt", `${bytes.byteLength} bytes of logits, should be ${should}`);
  }
  if (format.kind === "topk") return decodeTop(bytes, { examples, classes, k: format.k! });
  const { buffer } = new Uint8Array(bytes);
  return format.kind === "float16"
    ? Float32Array.from(new Uint16Array(buffer), valueOfFloat16)
    : new Float32Array(buffer);
}
