/** The lock between processes: one works at a time, and nobody waits for the dead. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { setTimeout } from "node:timers/promises";
import { silentMs } from "../../../proto/processlock.ts";
import { type LockOptions, withLock } from "../../../worker/engine/lock.ts";

let folder = "";
let file = "";
let lines: string[] = [];
let options: LockOptions;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "limbeck-lock-"));
  file = join(folder, "lock");
  lines = [];
  // A lock that is not had ends the wait: half an hour is too long for a test.
  options = { log: (line) => void lines.push(line), doing: "works", signal: AbortSignal.timeout(5000) };
});

afterEach(() => rm(folder, { recursive: true }));

test("one works at a time, the others after it, and nothing is left behind", async () => {
  let working = 0;
  let most = 0;
  const work = async () => {
    most = Math.max(most, ++working);
    await setTimeout(20);
    working--;
  };
  await Promise.all([1, 2, 3].map(() => withLock(file, options, work)));
  assert.equal(most, 1);
  assert.match(lines[0] ?? "", new RegExp(`^waiting for process ${process.pid}, which works$`));
  assert.deepEqual(readdirSync(folder), []);
});

test("work that fails gives the lock back", async () => {
  await assert.rejects(
    withLock(file, options, () => Promise.reject(new Error("no"))),
    /^Error: no$/,
  );
  assert.equal(existsSync(file), false);
});

test("the lock of a process that died is taken over at once", async () => {
  const { pid } = spawnSync(process.execPath, ["-e", "0"]);
  writeFileSync(file, `${hostname()} ${pid}`);
  assert.equal(await withLock(file, options, async () => 7), 7);
  assert.deepEqual([lines, readdirSync(folder)], [[], []]);
});

test("one that is not touched while somebody waits is taken over, whoever has its process id now", async () => {
  let nowMs = 0;
  const now = () => {
    nowMs += silentMs / 2;
    return nowMs;
  };
  for (const holder of [`${hostname()} ${process.pid}`, `elsewhere ${process.pid}`, ""]) {
    writeFileSync(file, holder);
    assert.equal(await withLock(file, { ...options, now }, async () => 7), 7);
  }
  assert.deepEqual(lines.length, 3);
});

test("the wait for a living holder ends when it is called off", async () => {
  writeFileSync(file, `elsewhere ${process.pid}`);
  const calledOff = new AbortController();
  const waiting = withLock(file, { ...options, signal: calledOff.signal }, async () => 7);
  calledOff.abort(new Error("called off"));
  await assert.rejects(waiting, /^Error: called off$/);
  assert.equal(existsSync(file), true);
});
