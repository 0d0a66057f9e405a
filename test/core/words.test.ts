/** Numbers as people read them. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { duration } from "../../core/words.ts";

test("a duration is rounded before it is divided into hours, minutes and seconds", () => {
  const told = [0, 9.94, 9.96, 59.4, 59.6, 119.6, 3599.6, 7265, Number.NaN].map(duration);
  const right = ["0.0 s", "9.9 s", "10 s", "59 s", "1 min 0 s", "2 min 0 s", "1 h 0 min", "2 h 1 min", "?"];
  assert.deepEqual(told, right);
});
