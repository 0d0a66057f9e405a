import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { encodeFloat16, valueOfFloat16 } from "../../../core/float16.ts";
import type { StoreKey } from "../../../worker/cache/key.ts";
import { storeId } from "../../../worker/cache/key.ts";
import { RecordCodec } from "../../../worker/cache/records.ts";
import { key } from "./samples.ts";

const id = fc.integer({ min: 0, max: 0xffffffff });
const float = fc.float({ noNaN: true, noDefaultInfinity: true });
const half = fc.integer({ min: 0, max: 0xffff }).map(valueOfFloat16).filter(Number.isFinite);
const bitsOf = (values: Float32Array) => [...new Uint32Array(values.buffer, values.byteOffset, values.length)];

/** A record that was written, and what for. */
const written = fc
  .record({ classes: fc.integer({ min: 2, max: 40 }), isHalf: fc.boolean(), example: id, view: id })
  .chain(({ classes, isHalf, ...rest }) =>
    fc.record({
      codec: fc.constant(new RecordCodec({ ...key, classes, format: isHalf ? "float16" : "float32" })),
      logits: fc
        .array(isHalf ? half : float, { minLength: classes, maxLength: classes })
        .map((values) => Float32Array.from(values)),
      example: fc.constant(rest.example),
      view: fc.constant(rest.view),
    }),
  )
  .map(({ codec, ...what }) => {
    const record = Buffer.alloc(codec.bytes, 0xee);
    assert.ok(codec.write(record, what));
    return { codec, record, ...what };
  });

test("what is written comes back bit for bit, both zeros and denormals too", () => {
  fc.assert(
    fc.property(written, ({ codec, record, logits, example, view }) => {
      const back = new Float32Array(logits.length);
      assert.equal(codec.stateOf(record, example, view), "whole");
      codec.read(record, back);
      assert.deepEqual(bitsOf(back), bitsOf(logits));
    }),
  );
});

test("a record with any bit flipped is damaged (L6)", () => {
  fc.assert(
    fc.property(written, fc.nat(), ({ codec, record, example, view }, random) => {
      const bit = random % (8 * record.length);
      record[bit >> 3]! ^= 1 << (bit & 7);
      assert.equal(codec.stateOf(record, example, view), "damaged");
    }),
  );
});

test("a record whose end was never written is damaged", () => {
  fc.assert(
    fc.property(written, fc.nat(), ({ codec, record, example, view }, random) => {
      const whole = Buffer.from(record);
      record.fill(0, 1 + (random % (record.length - 1)));
      if (record.equals(whole)) return; // It ended in zeros.
      assert.equal(codec.stateOf(record, example, view), "damaged");
    }),
  );
});

test("a record is of no other example and no other view (L6)", () => {
  fc.assert(
    fc.property(written, id, ({ codec, record, example, view }, other) => {
      fc.pre(other !== example && other !== view);
      assert.equal(codec.stateOf(record, other, view), "damaged");
      assert.equal(codec.stateOf(record, example, other), "damaged");
    }),
  );
});

const others: Readonly<Record<string, StoreKey>> = {
  teacher: { ...key, teacher: "t2" },
  dataset: { ...key, dataset: "d2" },
  examples: { ...key, examples: 999 },
  shift: { ...key, views: { spec: { shift: 1, flip: true }, seed: 3 } },
  seed: { ...key, views: { spec: { shift: 2, flip: true }, seed: 4 } },
  "plain views": { ...key, views: null },
  period: { ...key, period: 5 },
  "lane batch": { ...key, bits: { laneBatch: 16, engine: "e1" } },
  engine: { ...key, bits: { laneBatch: 32, engine: "e2" } },
  "fast numerics": { ...key, bits: null },
};

for (const [what, other] of Object.entries(others)) {
  test(`a record is of no store with another ${what} (L6)`, () => {
    const codec = new RecordCodec(key);
    const record = Buffer.alloc(codec.bytes);
    codec.write(record, { example: 5, view: 1, logits: new Float32Array(key.classes).fill(0.5) });
    assert.equal(codec.stateOf(record, 5, 1), "whole");
    assert.equal(new RecordCodec(other).stateOf(record, 5, 1), "damaged");
  });
}

test("ids are the same whatever the order of a view's fields, and differ with format and classes", () => {
  const turned = { ...key, views: { spec: { flip: true, shift: 2 }, seed: 3 } };
  assert.equal(storeId(turned), storeId(key));
  const ids = [key, { ...key, format: "float32" }, { ...key, classes: 8 }, ...Object.values(others)].map(storeId);
  assert.equal(new Set(ids).size, ids.length);
});

test("a hole is absent, whatever it would be of", () => {
  const codec = new RecordCodec(key);
  const hole = Buffer.alloc(codec.bytes);
  for (const example of [0, 1, 999]) assert.equal(codec.stateOf(hole, example, 0), "absent");
});

test("logits that float16 would change are not written: too large, between two of its values, or no number", () => {
  const codec = new RecordCodec({ ...key, classes: 2 });
  const record = Buffer.alloc(codec.bytes);
  const writes = (...logits: number[]) =>
    codec.write(record, { example: 1, view: 0, logits: Float32Array.from(logits) });
  assert.ok(writes(65504, -0));
  assert.ok(!writes(65520, 0));
  assert.ok(!writes(0, 1 / 3));
  fc.assert(
    fc.property(float, (value) => {
      const [code] = encodeFloat16(Float32Array.of(value));
      assert.equal(writes(0, value), Object.is(valueOfFloat16(code!), Math.fround(value)));
    }),
  );
});
