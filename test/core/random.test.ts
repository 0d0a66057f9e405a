import assert from "node:assert/strict";
import { test } from "node:test";
import { hash32, randomStream } from "../../core/random.ts";

test("hash32 is murmur3 over the words' little-endian bytes", () => {
  // Published vectors of MurmurHash3_x86_32 with seed 0x9747b28c: "", "aaaa" and "test".
  assert.equal(hash32(), 0xebb6c228);
  assert.equal(hash32(0x61616161), 0x5a97808a);
  assert.equal(hash32(0x74736574), 0x704b81dc);
});

test("a word counts by its low 32 bits, and its place among the others counts", () => {
  assert.equal(hash32(0xffffffff), hash32(-1));
  assert.notEqual(hash32(1, 2), hash32(2, 1));
  assert.notEqual(hash32(1), hash32(1, 0));
});

test("a stream is a function of its words alone (L1)", () => {
  const drawn = (...words: number[]) => Array.from({ length: 5 }, randomStream(...words));
  assert.deepEqual(drawn(1, 2, 3), drawn(1, 2, 3));
  assert.notDeepEqual(drawn(1, 2, 3), drawn(1, 2, 4));
  assert.notDeepEqual(drawn(1, 2, 3), drawn(3, 2, 1));
});

test("draws are uniform in [0,1), and streams of neighbouring words are not alike", () => {
  const bins = new Array<number>(16).fill(0);
  let covariance = 0;
  for (let word = 0; word < 200; word++) {
    const draw = randomStream(2, word);
    const neighbour = randomStream(2, word + 1);
    for (let i = 0; i < 100; i++) {
      const value = draw();
      assert.ok(value >= 0 && value < 1);
      bins[Math.floor(value * 16)]! += 1;
      covariance += ((value - 0.5) * (neighbour() - 0.5)) / 20_000;
    }
  }
  // 1250 expected in each, standard deviation 34.
  for (const count of bins) assert.ok(Math.abs(count - 1250) < 170, `${bins}`);
  assert.ok(Math.abs(covariance) < 0.003, `${covariance}`);
});
