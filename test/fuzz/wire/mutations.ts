/** Bytes and values that no caller of ours would send, each a function of the draws it is given. */

import type { Draw } from "../draw.ts";

/** A base-128 number of so many bytes, up to ten of which are one. */
function hugeVarint(draw: Draw): Buffer {
  return Buffer.from([...Array.from({ length: 4 + draw.below(8) }, () => 0xff), 0x7f]);
}

type Mutation = (bytes: Buffer, draw: Draw) => Buffer;

const spliced = (bytes: Buffer, at: number, more: Buffer, over = 0) =>
  Buffer.concat([bytes.subarray(0, at), more, bytes.subarray(at + over)]);

const mutations: readonly Mutation[] = [
  (bytes, draw) => {
    const flipped = Buffer.from(bytes);
    for (let count = 1 + draw.below(8); count > 0 && flipped.length > 0; count--)
      flipped[draw.below(flipped.length)]! ^= 1 << draw.below(8);
    return flipped;
  },
  (bytes, draw) => bytes.subarray(0, draw.below(bytes.length + 1)),
  // A field again and again.
  (bytes, draw) => {
    const from = draw.below(bytes.length + 1);
    const slice = bytes.subarray(from, from + 1 + draw.below(40));
    return Buffer.concat([bytes, ...Array.from({ length: 1 + draw.below(2_000) }, () => slice)]);
  },
  (bytes, draw) => spliced(bytes, draw.below(bytes.length + 1), hugeVarint(draw), draw.below(3)),
  // Another wire type under a tag.
  (bytes, draw) => {
    const changed = Buffer.from(bytes);
    if (changed.length > 0) changed[0] = (changed[0]! & 0xf8) | draw.below(8);
    return changed;
  },
  (bytes, draw) => spliced(bytes, draw.below(bytes.length + 1), draw.bytes(1 + draw.below(64))),
  // A message in a message in a message; and groups that never end.
  (bytes, draw) => nested(bytes, 1 + draw.below(20), 1 + draw.below(300)),
  (_, draw) => Buffer.alloc(1 + draw.below(50_000), (1 + draw.below(20)) * 8 + 3),
];

export function mutated(bytes: Buffer, draw: Draw): Buffer {
  let result = bytes;
  for (let count = 1 + draw.below(2); count > 0; count--) result = draw.pick(mutations)(result, draw);
  return result;
}

function nested(bytes: Buffer, field: number, depth: number): Buffer {
  let inner = bytes;
  for (let level = 0; level < depth; level++) inner = Buffer.concat([head(field, inner.length), inner]);
  return inner;
}

/** Of a field of so many bytes. */
function head(field: number, length: number): Buffer {
  return Buffer.concat([varint(field * 8 + 2), varint(length)]);
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 127; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 128);
  return Buffer.from([...bytes, rest]);
}

/** So many empty parts of a field. */
export function manyParts(field: number, count: number): Buffer {
  const part = head(field, 0);
  return Buffer.alloc(part.length * count, part);
}

/** A field within fields, outermost first, with so many parts in the innermost. */
export function partsWithin(fields: readonly number[], count: number): Buffer {
  const [outer, ...inner] = fields;
  if (inner.length === 0) return manyParts(outer!, count);
  const within = partsWithin(inner, count);
  return Buffer.concat([head(outer!, within.length), within]);
}

const numbers = [0, -1, 0.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 31, 2 ** 32, 2 ** 53, 2 ** 63, 2 ** 64, 1e308];
const texts = [
  "",
  "a",
  "toString",
  "__proto__",
  "../../../etc/passwd",
  "\u0000\u001b[2J",
  "abcdefghijk\u{1f600}\u{1f600}",
  '"\\ud800": 1',
  '[{"check":"\\ud800"}]',
  "[".repeat(5_000),
  "%".repeat(10_000),
  "é".repeat(200_000),
];

/** The message with some of its values replaced. */
export function absurd<T>(value: T, draw: Draw): T {
  if (draw.chance(0.3)) {
    if (typeof value === "number") return draw.pick(numbers) as T;
    if (typeof value === "string") return draw.pick(texts) as T;
    if (typeof value === "boolean") return !value as T;
    if (Buffer.isBuffer(value)) return draw.bytes(draw.pick([0, 1, 3, 4_097, 65_536])) as T;
    if (Array.isArray(value)) return Array.from({ length: draw.pick([0, 1, 50, 3_000]) }, () => value[0]) as T;
  }
  if (Buffer.isBuffer(value)) return value;
  if (Array.isArray(value)) return value.map((each) => absurd(each, draw)) as T;
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, absurd(each, draw)])) as T;
}
