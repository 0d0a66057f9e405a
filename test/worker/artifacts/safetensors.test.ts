import assert from "node:assert/strict";
import { test } from "node:test";
import { LimbeckError } from "../../../core/errors.ts";
import { decodeSafetensors, encodeSafetensors, type SafeTensor } from "../../../worker/artifacts/safetensors.ts";

const kernel = { name: "k", shape: [2, 1], dtype: "F32", bytes: bytesOf(Float32Array.of(1.5, -2)) } as const;
const flags = { name: "f", shape: [3], dtype: "U8", bytes: Uint8Array.of(1, 2, 255) } as const;
const count = { name: "n", shape: [], dtype: "I64", bytes: bytesOf(BigInt64Array.of(-5n)) } as const;

test("the layout is the format's, byte by byte", () => {
  const file = encodeSafetensors([flags, kernel], { by: "us" });
  const json =
    '{"__metadata__":{"by":"us"},"k":{"dtype":"F32","shape":[2,1],"data_offsets":[0,8]},"f":{"dtype":"U8","shape":[3],"data_offsets":[8,11]}}';
  const headerBytes = Math.ceil(json.length / 8) * 8;
  assert.deepEqual([...file.subarray(0, 8)], [headerBytes, 0, 0, 0, 0, 0, 0, 0]);
  assert.equal(new TextDecoder().decode(file.subarray(8, 8 + headerBytes)), json.padEnd(headerBytes));
  assert.deepEqual([...file.subarray(8 + headerBytes)], [0, 0, 0xc0, 0x3f, 0, 0, 0, 0xc0, 1, 2, 255]);
});

test("tensors come back, the widest elements first", () => {
  const empty = { name: "e", shape: [0, 4], dtype: "F32", bytes: new Uint8Array() } as const;
  const { tensors, metadata } = decodeSafetensors(encodeSafetensors([flags, empty, kernel, count], { a: "ü" }), "x");
  assert.deepEqual(tensors, [count, empty, kernel, flags]);
  assert.deepEqual(metadata, { a: "ü" });
  assert.deepEqual(decodeSafetensors(encodeSafetensors([]), "x"), { tensors: [], metadata: {} });
});

test("a file of Python's safetensors 0.8.0 is read", () => {
  const file = Buffer.from(
    "wAAAAAAAAAB7Il9fbWV0YWRhdGFfXyI6eyJrIjoidiJ9LCJiIjp7ImR0eXBlIjoiRjMyIiwic2hhcGUiOlsyXSwiZGF0YV9vZmZzZXRzIjpbMCw4XX0sImMiOnsiZHR5cGUiOiJGMzIiLCJzaGFwZSI6WzBdLCJkYXRhX29mZnNldHMiOls4LDhdfSwiYSI6eyJkdHlwZSI6IlU4Iiwic2hhcGUiOlsxLDNdLCJkYXRhX29mZnNldHMiOls4LDExXX19ICAgICAAAMA/AAAAwAcICQ==",
    "base64",
  );
  const { tensors, metadata } = decodeSafetensors(file, "python.safetensors");
  assert.deepEqual(metadata, { k: "v" });
  assert.deepEqual(
    tensors.map(({ name, shape, dtype, bytes }) => ({ name, shape, dtype, bytes: [...bytes] })),
    [
      { name: "b", shape: [2], dtype: "F32", bytes: [...kernel.bytes] },
      { name: "c", shape: [0], dtype: "F32", bytes: [] },
      { name: "a", shape: [1, 3], dtype: "U8", bytes: [7, 8, 9] },
    ],
  );
});

test("headers that do not fit the file are refused, naming it", () => {
  const entry = (shape: number[], from: number, to: number, dtype = "F32") => {
    return { dtype, shape, data_offsets: [from, to] };
  };
  const whole = file(JSON.stringify({ a: entry([1], 0, 4), b: entry([1], 4, 8) }), 8);
  assert.equal(decodeSafetensors(whole, "x").tensors.length, 2);
  const wrong: Record<string, Uint8Array> = {
    empty: new Uint8Array(),
    "longer header than file": whole.subarray(0, 40),
    "huge header": Uint8Array.of(255, 255, 255, 255, 255, 255, 255, 255, 123),
    "not JSON": file("{", 0),
    "not an object": file("[]", 0),
    "not UTF-8": file('{"\xff":1}', 0, "latin1"),
    "unknown dtype": file(JSON.stringify({ a: entry([1], 0, 4, "F31") }), 4),
    "unknown key": file(JSON.stringify({ a: { ...entry([1], 0, 4), more: 1 } }), 4),
    "metadata not strings": file('{"__metadata__":{"a":1}}', 0),
    "cut data": whole.subarray(0, -1),
    "data left over": file(JSON.stringify({ a: entry([1], 0, 4) }), 5),
    "out of range": file(JSON.stringify({ a: entry([1], 4, 8) }), 4),
    hole: file(JSON.stringify({ a: entry([1], 0, 4), b: entry([1], 5, 9) }), 9),
    overlap: file(JSON.stringify({ a: entry([1], 0, 4), b: entry([1], 0, 4) }), 4),
    "size unlike shape": file(JSON.stringify({ a: entry([2], 0, 4) }), 4),
    backwards: file(JSON.stringify({ a: entry([0], 4, 0) }), 4),
  };
  for (const [what, bytes] of Object.entries(wrong)) {
    assert.throws(
      () => decodeSafetensors(bytes, "the.safetensors"),
      (thrown) =>
        thrown instanceof LimbeckError && thrown.code === "corrupt" && thrown.message.startsWith("the.safetensors "),
      what,
    );
  }
});

test("tensors that contradict themselves or each other are not written", () => {
  for (const wrong of [[{ ...kernel, shape: [3] }], [kernel, kernel], [{ ...kernel, name: "__metadata__" }]]) {
    assert.throws(() => encodeSafetensors(wrong as SafeTensor[]), LimbeckError);
  }
});

function bytesOf(values: Float32Array | BigInt64Array): Uint8Array {
  return new Uint8Array(values.buffer);
}

function file(header: string, dataBytes: number, encoding: BufferEncoding = "utf8"): Uint8Array {
  const json = Buffer.from(header, encoding);
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(json.length));
  return Buffer.concat([length, json, Buffer.alloc(dataBytes)]);
}
