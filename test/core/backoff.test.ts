import assert from "node:assert/strict";
import { test } from "node:test";
import { backoffMs } from "../../core/backoff.ts";

const policy = { firstMs: 200, longestMs: 30_000 };

test("the wait doubles up to the longest, whatever the attempt", () => {
  const waits = [0, 1, 2, 7, 8, 5000].map((attempt) => backoffMs(policy, attempt, 1));
  assert.deepEqual(waits, [200, 400, 800, 25_600, 30_000, 30_000]);
});

test("chance takes up to half of it away", () => {
  assert.equal(backoffMs(policy, 1, 0), 200);
  assert.equal(backoffMs(policy, 1, 0.5), 300);
});
