import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import stringWidth from "string-width";
import { statusLines } from "../../../cli/terminal/statuslines.ts";
import { frame, pressed, type Size, type TopView } from "../../../cli/terminal/topview.ts";
import { packagePath } from "../../../proto/package.ts";
import { crowd, noon, status, view, worker } from "./samples.ts";

const wide: Size = { columns: 80, rows: 24 };
const narrow: Size = { columns: 40, rows: 20 };

function text(of: TopView, size: Size): string {
  const lines = frame(of, size, noon);
  assert.equal(lines.length, size.rows);
  for (const line of lines) assert.equal(stringWidth(line.text), size.columns, line.text);
  return `${lines.map((line) => line.text.trimEnd()).join("\n")}\n`;
}

/** REWRITE=1 writes what is shown now: look at the difference. */
function assertGolden(name: string, found: string): void {
  const file = packagePath(`test/cli/terminal/${name}.txt`);
  if (process.env["REWRITE"]) writeFileSync(file, found);
  assert.equal(found, readFileSync(file, "utf8"));
}

test("a job on 80 columns, on 40, and one of 500 workers", () => {
  assertGolden("top-80", text(view(), wide));
  assertGolden("top-40", text(view(), narrow));
  assertGolden("top-500", text(view({ status: status({ workers: crowd(500) }) }), { columns: 120, rows: 24 }));
});

test("status in lines", () => {
  assertGolden("status", `${statusLines(status()).join("\n")}\n`);
});

test("a job that has not begun, has ended, or whose coordinator is away, says so", () => {
  const nothing = { stage: null, step: 0, steps: 0, term: 0, lastStep: null, recentLosses: [], lastEvaluation: null };
  const gathering = { ...nothing, state: "gathering", waitingFor: ["1 student to join"], workers: [] } as const;
  const begun = text(view({ status: status(gathering) }), wide);
  assert.match(begun, /^mnist {2}gathering {2}term 0/);
  assert.match(begun, /waits for {2}1 student to join/);
  assert.match(begun, /no workers/);
  assert.doesNotMatch(begun, /loss|NaN|null|undefined|Infinity/);
  const away = { why: "the coordinator does not answer", sinceMs: noon - 1_000 };
  assert.match(text(view({ away }), wide), /^the coordinator does not answer since 11:59:59; /m);
  assert.match(text(view({ away, ended: "done" }), wide), /^the job has ended: done$/m);
  const failed = status({ state: "ended", outcome: "failed", why: "the job failed: no disk", workers: [] });
  assert.match(
    statusLines(failed).join("\n"),
    /^mnist: ended \(failed\).*\n(.*\n)* {2}ended {7}the job failed: no disk$/m,
  );
});

test("a terminal of any size is filled and not overrun", () => {
  const busy = view({ status: status({ workers: crowd(30) }) });
  for (const columns of [1, 7, 20, 300]) for (const rows of [1, 2, 5, 9, 60]) text(busy, { columns, rows });
});

test("names and words of workers cannot write on the screen", () => {
  const evil = worker({ worker: "w\u001b[2J\n1", doing: "x\r\ny" });
  const shown = text(view({ status: status({ job: "a\u0007b", workers: [evil] }) }), wide);
  assert.doesNotMatch(shown.replaceAll("\n", ""), /\p{Cc}/u);
});

function firstShown(of: TopView): string {
  return /^student-\d+/m.exec(text(of, wide))![0];
}

test("keys scroll as far as there are workers, sort, and quit", () => {
  let now = view({ status: status({ workers: crowd(500) }) });
  const press = (...keys: string[]) => {
    for (const key of keys) now = pressed(now, key, wide)!;
    return firstShown(now);
  };
  assert.equal(press("up"), "student-1", "above the first is nothing");
  assert.equal(press("down", "down"), "student-3");
  assert.equal(press("up"), "student-2");
  const page = press("home", "pagedown");
  assert.notEqual(page, "student-1");
  assert.equal(press("pageup"), "student-1");
  press("end");
  assert.match(text(now, wide), /student-500 /);
  assert.match(text(now, wide), /-500 of 500/);
  const end = now.above;
  press("down");
  assert.equal(now.above, end, "below the last is nothing");
  press("s");
  assert.equal(now.above, 0);
  assert.notEqual(now.sort, "role");
  assert.equal(pressed(now, "x", wide), now);
  assert.equal(pressed(now, "q", wide), null);
  assert.equal(pressed(now, "ctrl-c", wide), null);
});

test("workers that leave take the view along", () => {
  const scrolled = view({ status: status({ workers: crowd(500) }), above: 480 });
  assert.equal(firstShown({ ...scrolled, status: status({ workers: crowd(3) }) }), "student-1");
});

test("each order puts first what one looks for", () => {
  const workers = [
    worker({ worker: "a", step: 9, secondsPerLane: 1, residentBytes: 1, lastHeartbeatMs: 900, state: "working" }),
    worker({ worker: "b", step: 1, secondsPerLane: 2, residentBytes: 9, lastHeartbeatMs: 10, state: "leaving" }),
    worker({ worker: "c", step: 9, secondsPerLane: null, residentBytes: 1, lastHeartbeatMs: 10, role: "teacher" }),
  ];
  const order = (sort: TopView["sort"]) =>
    [...text(view({ status: status({ workers }), sort }), wide).matchAll(/^([abc]) {3}/gm)]
      .map(([, name]) => name)
      .join("");
  assert.deepEqual((["role", "name", "state", "step", "speed", "memory", "heard"] as const).map(order), [
    "abc",
    "abc",
    "bac",
    "bac",
    "bac",
    "bac",
    "abc",
  ]);
});
