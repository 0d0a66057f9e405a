import assert from "node:assert/strict";
import { test } from "node:test";
import { type Column, grid } from "../../../cli/terminal/grid.ts";
import { bar, cut, fit, sparkline } from "../../../cli/terminal/text.ts";

test("text is cut and padded by the columns it takes, not by its characters", () => {
  assert.equal(cut("abcdef", 6), "abcdef");
  assert.equal(cut("abcdef", 5), "abcd…");
  assert.equal(cut("日本語", 5), "日本…");
  assert.equal(cut("日本語", 4), "日…", "a wide character is not halved");
  assert.equal(cut("abc", 0), "");
  assert.equal(fit("日本", 6), "日本  ");
  assert.equal(fit("12", 5, "right"), "   12");
});

test("a sparkline spans its values, the newest last, with gaps for what is no number", () => {
  assert.equal(sparkline([0, 1, 2, 3, 4, 5, 6, 7], 8), "▁▂▃▄▅▆▇█");
  assert.equal(sparkline([9, 9, 7, null, 0], 3), "█ ▁");
  assert.equal(sparkline([2, 2], 8), "▁▁");
  assert.equal(sparkline([], 8), "");
  assert.equal(sparkline([null, Number.NaN], 8), "  ");
});

test("a bar is as long as it should be, whatever the share", () => {
  assert.deepEqual(
    [-1, 0, 0.5, 1, 7].map((share) => bar(share, 4)),
    ["░░░░", "░░░░", "██░░", "████", "████"],
  );
});

interface Row {
  readonly name: string;
  readonly size: number;
  readonly note: string;
}

const columns: readonly Column<Row>[] = [
  { title: "name", rank: 3, of: ({ name }) => name },
  { title: "size", rank: 1, align: "right", of: ({ size }) => String(size) },
  { title: "note", rank: 2, least: 6, of: ({ note }) => note },
];
const rows = [
  { name: "one", note: "a longer note", size: 7 },
  { name: "two", note: "short", size: 12345 },
];

test("a grid has its natural width where there is room, then cuts, then leaves columns out by rank", () => {
  const at = (width: number) => {
    const { head, lines } = grid(columns, rows, { width });
    return [head, ...lines];
  };
  const whole = ["name   size  note", "one       7  a longer note", "two   12345  short"];
  assert.deepEqual(at(Number.POSITIVE_INFINITY), whole);
  assert.deepEqual(at(26), whole);
  assert.deepEqual(at(20), ["name   size  note", "one       7  a long…", "two   12345  short"]);
  assert.deepEqual(at(18), ["name  note", "one   a longer no…", "two   short"]);
  assert.deepEqual(at(11), ["name", "one", "two"]);
  assert.deepEqual(at(1), ["name", "one", "two"], "the last column stays");
});

test("a grid of a few rows has the widths of all", () => {
  const { head, lines } = grid(columns, rows, { width: 80, shown: rows.slice(0, 1) });
  assert.deepEqual([head, ...lines], ["name   size  note", "one       7  a longer note"]);
});
