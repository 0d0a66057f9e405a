/** Logits on the wire: little-endian float16 or float32. */
import { LimbeckError } from "../../core/errors.ts";
import { encodeFloat16, fitsFloat16 } from "../../core/float16.ts";

export type LogitsFormat = "float16" | "float32";

const bytesPerValue: Readonly<Record<LogitsFormat, number>> = { float16: 2, float32: 4 };

export function isLogitsFormat(text: string): text is LogitsFormat {
  return Object.hasOwn(bytesPerValue, text);
}

/**
 * Logits in the format that was asked for. Where float16 cannot hold one of them they go as float32: an infinite logit
 * would make the loss NaN. It depends on the logits alone, so students still get equal bits (L1).
 */
export function encodeLogits(logits: Float32Array, asked: LogitsFormat): { format: LogitsFormat; bytes: Uint8Array } {
  const format = asked === "float16" && fitsFloat16(logits) ? "float16" : "float32";
  const values = format === "float16" ? encodeFloat16(logits) : logits;
  return { format, bytes: new Uint8Array(values.buffer, values.byteOffset, values.byteLength) };
}

/** Throws `corrupt` where the bytes are not `count` values of the format. */
export function decodeLogits(bytes: Uint8Array, format: LogitsFormat, count: number): Float32Array {
  if (bytes.byteLength !== count * bytesPerValue[format]) {
    throw new LimbeckError("corrupt", `${bytes.byteLength} bytes of logits, should be ${count} values as ${format}`);
  }
  const { buffer } = new Uint8Array(bytes);
  return format === "float16" ? Float32Array.from(new Uint16Array(buffer), valueOfHalf) : new Float32Array(buffer);
}

/** The value of an IEEE 754 binary16 code, exact. */
function valueOfHalf(code: number): number {
  const sign = code & 0x8000 ? -1 : 1;
  const exponent = (code >>> 10) & 0x1f;
  const fraction = code & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 0x1f) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}
