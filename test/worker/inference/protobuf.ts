/** Protocol buffers written by hand: enough for the model files of the tests, whose own tools are not at hand. */

/** A field as bytes; whole messages are fields one after another. */
export type Fields = readonly Uint8Array[];

export function message(...fields: readonly (Uint8Array | Fields)[]): Uint8Array {
  return Buffer.concat(fields.flat());
}

function varint(value: number): Uint8Array {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, BigInt(value));
  for (; rest > 127n; rest >>= 7n) bytes.push(Number(rest & 127n) | 128);
  return Uint8Array.from([...bytes, Number(rest)]);
}

export function int(field: number, value: number): Uint8Array {
  return Buffer.concat([varint(field * 8), varint(value)]);
}

export function bytes(field: number, value: Uint8Array): Uint8Array {
  return Buffer.concat([varint(field * 8 + 2), varint(value.length), value]);
}

export function text(field: number, value: string): Uint8Array {
  return bytes(field, Buffer.from(value));
}

/** An entry of a map<string, message>. */
export function entry(field: number, key: string, value: Uint8Array): Uint8Array {
  return bytes(field, message(text(1, key), bytes(2, value)));
}

export function floats(values: Float32Array): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}
