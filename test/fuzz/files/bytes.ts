/** What becomes of bytes that are damaged, cut, or written by somebody who means harm. */
import type { Draw } from "../draw.ts";

/** Inputs stay small: what is absurd must be said in few bytes. */
const mostBytes = 1 << 18;

const nastyBytes = [0x00, 0x01, 0x0a, 0x22, 0x2c, 0x2e, 0x2f, 0x5c, 0x7f, 0x80, 0xff];
const nastyNumbers = [0, 1, 2, 127, 128, 255, 256, 65535, 65536, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1, 2 ** 48, 2 ** 53];
/** In place of a number in a text. */
const nastyDigits = [
  ...["0", "-1", "1e999", "-1e308", "NaN", "Infinity", ".inf", "2147483648", "4294967296", "9007199254740993"],
  ...["18446744073709551616", "0x10", "1e-320", "-0", "00", "1_000", ".5", "1.5", "70000", "null", '"7"'],
];

type Change = (bytes: Buffer, draw: Draw, others: readonly Buffer[]) => Buffer;

const changes: readonly Change[] = [
  (bytes, draw) =>
    at(bytes, draw, (changed, place) => changed.writeUInt8(changed[place]! ^ (1 << draw.below(8)), place)),
  (bytes, draw) => at(bytes, draw, (changed, place) => changed.writeUInt8(draw.pick(nastyBytes), place)),
  (bytes, draw) => bytes.subarray(0, placeIn(bytes, draw)),
  (bytes, draw) => bytes.subarray(placeIn(bytes, draw)),
  (bytes, draw) => without(bytes, placeIn(bytes, draw), 1 + draw.below(16)),
  (bytes, draw) => inserted(bytes, placeIn(bytes, draw), draw.bytes(1 + draw.below(16))),
  (bytes, draw) => {
    const [from, length] = [placeIn(bytes, draw), 1 + draw.below(32)];
    const piece = bytes.subarray(from, from + length);
    return inserted(bytes, from, Buffer.concat(Array(1 + draw.below(draw.chance(0.1) ? 4096 : 4)).fill(piece)));
  },
  (bytes, draw, others) => {
    const other = draw.pick(others);
    return Buffer.concat([bytes.subarray(0, placeIn(bytes, draw)), other.subarray(placeIn(other, draw))]);
  },
  withNumber,
  withDigits,
  withDigits,
];

/** One change, mostly, and seldom several. @param others of the same kind, to splice with */
export function mutatedBytes(bytes: Buffer, draw: Draw, others: readonly Buffer[]): Buffer {
  let changed = bytes;
  for (let count = draw.chance(0.6) ? 1 : 1 + draw.below(6); count > 0; count--) {
    changed = draw.pick(changes)(changed, draw, others.length > 0 ? others : [bytes]);
  }
  return changed.subarray(0, mostBytes);
}

/** Headers stand at the beginning, and decide most. */
function placeIn(bytes: Buffer, draw: Draw): number {
  return draw.below(Math.max(1, draw.chance(0.5) ? Math.min(64, bytes.length) : bytes.length));
}

function at(bytes: Buffer, draw: Draw, change: (changed: Buffer, place: number) => void): Buffer {
  if (bytes.length === 0) return bytes;
  const changed = Buffer.from(bytes);
  change(changed, placeIn(bytes, draw));
  return changed;
}

function inserted(bytes: Buffer, place: number, piece: Buffer): Buffer {
  return Buffer.concat([bytes.subarray(0, place), piece, bytes.subarray(place)]);
}

function without(bytes: Buffer, place: number, length: number): Buffer {
  return Buffer.concat([bytes.subarray(0, place), bytes.subarray(place + length)]);
}

/** An integer of 1, 2, 4 or 8 bytes, in either order, that means something to whoever counts with it. */
function withNumber(bytes: Buffer, draw: Draw): Buffer {
  const width = draw.pick([1, 2, 4, 8]);
  const word = Buffer.alloc(8);
  const [value, isBigEndian] = [BigInt(draw.pick(nastyNumbers)), draw.chance(0.5)];
  if (isBigEndian) word.writeBigUInt64BE(value);
  else word.writeBigUInt64LE(value);
  const piece = isBigEndian ? word.subarray(8 - width) : word.subarray(0, width);
  const place = placeIn(bytes, draw);
  return Buffer.concat([bytes.subarray(0, place), piece, bytes.subarray(place + width)]);
}

function withDigits(bytes: Buffer, draw: Draw): Buffer {
  const text = bytes.toString("latin1");
  const numbers = [...text.matchAll(/-?\d+(?:\.\d+)?/g)];
  if (numbers.length === 0) return withNumber(bytes, draw);
  const { index, 0: digits } = draw.pick(numbers);
  return Buffer.from(`${text.slice(0, index)}${draw.pick(nastyDigits)}${text.slice(index + digits.length)}`, "latin1");
}
