/** A message is refused before it is decoded where it would cost more than its bytes say. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { longestText, mostParts } from "../../../proto/intake/parts.ts";
import { coordinatorService, jobsService, rawPull, teacherService } from "../../../proto/wire.ts";
import { manyParts, partsWithin } from "../../fuzz/wire/mutations.ts";

const { requestSerialize, requestDeserialize } = coordinatorService.Join;
const [exported, pictures, prepared, dataset] = [9, 4, 4, 2];

test("empty parts are counted at every depth, also those of a field that is no list", () => {
  const tooMany = new RegExp(`more than ${mostParts} parts`);
  for (const bytes of [
    partsWithin([exported, pictures], 1_000_000),
    manyParts(exported, 70_000),
    manyParts(99, 70_000),
    partsWithin([prepared, dataset], 70_000),
  ])
    assert.throws(() => requestDeserialize(bytes), tooMany);
  assert.throws(() => jobsService.Submit.requestDeserialize(manyParts(4, 70_000)), tooMany);
});

test("numbers that are packed are counted, too", () => {
  const numbers = (count: number) => ({ prepared: { engine: {}, dataset: { shape: Array<number>(count).fill(1) } } });
  assert.throws(() => requestDeserialize(requestSerialize(numbers(70_000))), /parts/);
  assert.equal(requestDeserialize(requestSerialize(numbers(1_000))).prepared!.dataset!.shape.length, 1_000);
});

test("a text that is longer than any of ours is refused; bytes may be as long as the message", () => {
  assert.throws(
    () => requestDeserialize(requestSerialize({ warned: { why: "x".repeat(longestText + 1) } })),
    /a text of/,
  );
  const request = { term: 1, key: { examples: Buffer.alloc(4) }, inputs: Buffer.alloc(3 * longestText) };
  const { requestSerialize: encode, requestDeserialize: decode } = teacherService.SoftTargets;
  assert.equal(decode(encode(request)).inputs.length, 3 * longestText);
});

test("a field is read by what it is, whatever type the wire gives it, as the decoder does", () => {
  const bytes = partsWithin([exported, pictures], 70_000);
  // As if it were a number: protobufjs reads a message all the same.
  bytes[0] = exported * 8;
  assert.throws(() => requestDeserialize(bytes), /parts/);
});

test("groups are none of ours, and what is cut off is the decoder's to refuse", () => {
  assert.throws(() => rawPull.requestDeserialize(Buffer.alloc(50_000, 0x7b)), /a group/);
  const whole = Buffer.from(requestSerialize({ term: 3, hello: { worker: "w", role: "student" } }));
  for (let length = 1; length < whole.length; length++) {
    try {
      requestDeserialize(whole.subarray(0, length));
    } catch (thrown) {
      assert.ok(thrown instanceof Error);
    }
  }
  assert.equal(requestDeserialize(whole).hello!.worker, "w");
});
