/** Where messages end is found in whatever pieces they come. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Framing } from "../../../proto/intake/framing.ts";

const message = (length: number) => {
  const bytes = Buffer.alloc(5 + length, 7);
  bytes.writeUInt8(0, 0);
  bytes.writeUInt32BE(length, 1);
  return bytes;
};

test("what has come of a message counts until it is complete, byte by byte or at once", () => {
  const two = Buffer.concat([message(3), message(0), message(300)]);
  for (const size of [1, 2, 4, 7, 308, two.length]) {
    const framing = new Framing();
    let complete = 0;
    for (let at = 0; at < two.length; at += size) if (framing.take(two.subarray(at, at + size))) complete += 1;
    assert.equal(framing.partial, 0, `in pieces of ${size}`);
    assert.ok(complete >= 1 && complete <= 3);
  }
  const framing = new Framing();
  assert.equal(framing.take(message(300).subarray(0, 3)), false);
  assert.equal(framing.partial, 3);
  assert.equal(framing.take(message(300).subarray(3, 205)), false);
  assert.equal(framing.partial, 205);
  assert.equal(framing.take(Buffer.concat([message(300).subarray(205), message(9).subarray(0, 6)])), true);
  assert.equal(framing.partial, 6, "of the next");
});

test("a length of 4 GiB is taken for what it is", () => {
  const framing = new Framing();
  framing.take(Buffer.of(0, 255, 255, 255, 255, 1, 2));
  assert.equal(framing.partial, 7);
});
