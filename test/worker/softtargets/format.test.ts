import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { randomStream } from "../../../core/random.ts";
import {
  bytesPerExample,
  decodeLogits,
  encodeLogits,
  formatName,
  parseFormat,
} from "../../../worker/softtargets/format.ts";
import { payloadError } from "../../../worker/softtargets/payloaderror.ts";

const random = randomStream(7, 1);
const draw = (count: number, scale: number) => Float32Array.from({ length: count }, () => (random() - 0.5) * scale);

function softened(row: ArrayLike<number>, temperature: number): number[] {
  const values = Array.from(row, (value) => value / temperature);
  const most = Math.max(...values);
  const total = values.reduce((sum, value) => sum + Math.exp(value - most), 0);
  return values.map((value) => Math.exp(value - most) / total);
}

test("a format's name says all that its bits depend on", () => {
  for (const format of [
    { kind: "float16" },
    { kind: "float32" },
    { kind: "topk", k: 16, temperature: 4 },
    { kind: "topk", k: 1, temperature: 2.5 },
    { kind: "topk", k: 3, temperature: 1e-7 },
  ] as const) {
    assert.deepEqual(parseFormat(formatName(format)), format);
  }
  for (const name of ["", "float8", "top@4", "top0@4", "top16@0", "top16@-1", "top16", "top1.5@4"]) {
    assert.equal(parseFormat(name), null, name);
  }
});

test("of topk the largest classes keep their probabilities, and the others their mass", () => {
  const [examples, classes, k, temperature] = [20, 100, 8, 4];
  const logits = draw(examples * classes, 30);
  const { format, bytes } = encodeLogits(logits, classes, { kind: "topk", k, temperature });
  assert.equal(bytes.byteLength, examples * bytesPerExample(format, classes));
  assert.equal(bytesPerExample(format, classes), 8 * 4 + 4);
  const decoded = decodeLogits(bytes, format, { examples, classes });
  for (let at = 0; at < examples; at++) {
    const row = (values: Float32Array) => softened(values.subarray(at * classes, (at + 1) * classes), temperature);
    const [p, q] = [row(logits), row(decoded)];
    const order = p.map((_, index) => index).sort((one, other) => p[other]! - p[one]!);
    for (const index of order.slice(0, k)) {
      assert.ok(Math.abs(q[index]! / p[index]! - 1) < 5e-3, `class ${index}: ${q[index]} instead of ${p[index]}`);
    }
    const tail = (values: number[]) => order.slice(k).reduce((sum, index) => sum + values[index]!, 0);
    assert.ok(Math.abs(tail(q) / tail(p) - 1) < 5e-3, `the tail has ${tail(q)} instead of ${tail(p)}`);
    assert.equal(new Set(order.slice(k).map((index) => q[index])).size, 1);
  }
});

test("to cut the tail off would make the teacher surer than it is", () => {
  const [classes, k, temperature] = [50, 4, 4];
  const logits = draw(classes, 12);
  const format = { kind: "topk", k, temperature } as const;
  const decoded = decodeLogits(encodeLogits(logits, classes, format).bytes, format, { examples: 1, classes });
  const order = [...logits.keys()].sort((one, other) => logits[other]! - logits[one]!);
  const cut = logits.map((value, index) => (order.indexOf(index) < k ? value : -1e4));
  const largest = (values: Float32Array) => softened(values, temperature)[order[0]!]!;
  assert.ok(Math.abs(largest(decoded) - largest(logits)) < 1e-3);
  assert.ok(largest(cut) > 2 * largest(logits));
});

test("with k of all classes topk is float16; of equal logits the lower classes are kept", () => {
  const logits = draw(3 * 10, 8);
  const all = { kind: "topk", k: 64, temperature: 2 } as const;
  const half = { kind: "float16" } as const;
  const [one, other] = [all, half].map((format) =>
    decodeLogits(encodeLogits(logits, 10, format).bytes, format, { examples: 3, classes: 10 }),
  );
  assert.deepEqual(one, other);
  const flat = { kind: "topk", k: 2, temperature: 1 } as const;
  const decoded = decodeLogits(encodeLogits(Float32Array.of(1, 5, 5, 5), 4, flat).bytes, flat, {
    examples: 1,
    classes: 4,
  });
  assert.deepEqual([...decoded.subarray(0, 3)].map(Math.round), [4, 5, 5]);
});

test("what float16 cannot hold goes as float32, in every format", () => {
  for (const asked of [{ kind: "float16" }, { kind: "topk", k: 1, temperature: 1 }] as const) {
    const { format, bytes } = encodeLogits(Float32Array.of(7e4, 1), 2, asked);
    assert.deepEqual(format, { kind: "float32" });
    assert.deepEqual(decodeLogits(bytes, format, { examples: 1, classes: 2 }), Float32Array.of(7e4, 1));
  }
});

test("bytes of another length, and classes that are none, are corrupt", () => {
  const format = { kind: "topk", k: 2, temperature: 1 } as const;
  const { bytes } = encodeLogits(draw(20, 4), 10, format);
  const shape = { examples: 2, classes: 10 };
  assert.throws(() => decodeLogits(bytes.subarray(1), format, shape), { code: "corrupt" });
  const wrong = Uint8Array.from(bytes);
  wrong[4] = 0xff;
  assert.throws(() => decodeLogits(wrong, format, shape), { code: "corrupt", message: /class 255 of 10/ });
});

test("the error of a format is the divergence it causes: none for float32, more for fewer classes", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 1e6 }), (seed) => {
      const [classes, temperature] = [20, 3];
      const source = randomStream(seed, 2);
      const logits = Float32Array.from({ length: 5 * classes }, () => (source() - 0.5) * 20);
      const errorOf = (format: Parameters<typeof encodeLogits>[2]) => {
        const decoded = decodeLogits(encodeLogits(logits, classes, format).bytes, format, { examples: 5, classes });
        return payloadError(logits, decoded, { classes, temperature, rows: 5 });
      };
      const [exact, half] = [errorOf({ kind: "float32" }), errorOf({ kind: "float16" })];
      const [many, few] = [16, 1].map((k) => errorOf({ kind: "topk", k, temperature }));
      assert.deepEqual(exact, { examples: 5, sum: 0, max: 0 });
      assert.ok(half.sum < 1e-5 && half.sum <= many!.sum && many!.sum < few!.sum);
      assert.ok(few!.max <= few!.sum && few!.max >= few!.sum / 5);
    }),
  );
});
