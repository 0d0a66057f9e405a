/** What is nested deeper than anything real is told before it is parsed, and brackets in texts are no nesting. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { isNestedTooDeep, parseJson } from "../../core/nesting.ts";

const nested = (depth: number) => `${"[".repeat(depth)}1${"]".repeat(depth)}`;

test("JSON is parsed up to a hundred levels", () => {
  assert.deepEqual(parseJson(nested(100)), JSON.parse(nested(100)));
  assert.throws(() => parseJson(nested(101)), /^SyntaxError: it is nested more than 100 deep$/);
  assert.throws(() => parseJson("[".repeat(1e6)), /nested/);
  assert.throws(() => parseJson("[1"), SyntaxError);
});

test("brackets in JSON's texts are none, and do not close any", () => {
  const text = `\\"${"[".repeat(500)}\\\\`;
  assert.deepEqual(parseJson(`["${text}"]`), JSON.parse(`["${text}"]`));
  assert.throws(() => parseJson(`["]",`.repeat(200)), /nested/);
});

test("YAML is taken as people write it", () => {
  for (const yaml of [
    `text: "${"[".repeat(500)}"\nplain: a ${"[".repeat(500)}\nblock: |\n  ${"- ".repeat(500)}\n`,
    Array.from({ length: 60 }, (_, at) => `${" ".repeat(at)}a:\n`).join(""),
    `a: {${Array.from({ length: 300 }, (_, at) => `k${at}: [1, 2]`).join(", ")}}\n`,
    Array.from({ length: 300 }, (_, at) => `- { k: ${at} }\n`).join(""),
    `# ${"- ".repeat(300)}\n`,
  ])
    assert.equal(isNestedTooDeep(yaml), false, yaml.slice(0, 40));
});

test("YAML that goes down and down is told, however it does", () => {
  for (const yaml of [
    "[".repeat(101),
    "{a: ".repeat(101),
    `[ "]", `.repeat(101),
    "- ".repeat(101),
    "? ".repeat(101),
    `${" ".repeat(201)}a: 1`,
    Array.from({ length: 101 }, (_, at) => `l${at}: &l${at} [*l${at}]\n`).join(""),
  ])
    assert.equal(isNestedTooDeep(yaml), true, yaml.slice(0, 40));
});
