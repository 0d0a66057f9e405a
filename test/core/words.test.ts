/** Numbers as people read them. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { bytesText, duration } from "../../core/words.ts";

test("a duration is rounded before it is divided into hours, minutes and seconds", () => {
  const told = [0, 9.94, 9.96, 59.4, 59.6, 119.6, 3599.6, 7265, Number.NaN].map(duration);
  const right = ["0.0 s", "9.9 s", "10 s", "59 s", "1 min 0 s", "2 min 0 s", "1 h 0 min", "2 h 1 min", "?"];
  assert.deepEqual(told, right);
});

test("a size is rounded before its unit is chosen, and has one decimal, so that columns of them are in line", () => {
  const told = [0, 1023, 1024, 2 ** 20 - 1, 1.5 * 2 ** 20, 8 * 2 ** 30, 2 ** 40 - 1, 5000 * 2 ** 40].map(bytesText);
  const right = ["0 bytes", "1023 bytes", "1.0 KiB", "1.0 MiB", "1.5 MiB", "8.0 GiB", "1.0 TiB", "5000.0 TiB"];
  assert.deepEqual(told, right);
});
