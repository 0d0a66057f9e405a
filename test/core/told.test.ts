/** A text from elsewhere can be told again. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { told } from "../../core/told.ts";

test("it is cut where it is too long, and no half of a character is left", () => {
  assert.equal(told("abc", 3), "abc");
  assert.equal(told("abcd", 3), "abc…");
  assert.equal(told("ab\u{1f600}", 4), "ab\u{1f600}");
  assert.equal(told("ab\u{1f600}", 3), "ab\ufffd…");
  assert.equal(told("\ud800 and \udc00", 99), "\ufffd and \ufffd");
  for (const text of [told("\ud800", 9), told("é\u{1f600}".repeat(9), 12)]) assert.ok(encodeURI(text));
});
