import assert from "node:assert/strict";
import { readFileSync, utimesSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { type ProcessLock, silentMs, tryLock } from "../../proto/processlock.ts";
import { scratchFolder } from "../e2e/limbeck.ts";

/** A lock that another machine's process holds, whose clock shows this time when it touches it. */
async function held(t: TestContext, holder = "elsewhere 7 123 4026531836") {
  const file = join(await scratchFolder(t), "a.lock");
  writeFileSync(file, holder);
  const touch = (atMs: number) => utimesSync(file, new Date(atMs), new Date(atMs));
  touch(Date.now() - 3_600_000);
  let nowMs = 0;
  const at = async (ms: number) => {
    nowMs = ms;
    return await tryLock(file, () => nowMs);
  };
  return { file, touch, at };
}

const isTaken = (lock: object): lock is ProcessLock => "release" in lock;

test("whose clock is an hour behind lives while it touches its lock, and is dead half a minute after the last touch that was seen", async (t) => {
  const { file, touch, at } = await held(t);
  assert.deepEqual(await at(0), { host: "elsewhere", pid: "7", life: "unknown" });
  assert.equal(isTaken(await at(silentMs)), false);
  touch(1_000);
  assert.deepEqual(await at(silentMs + 1), { host: "elsewhere", pid: "7", life: "lives" });
  assert.deepEqual(await at(2 * silentMs), { host: "elsewhere", pid: "7", life: "lives" });
  const lock = await at(2 * silentMs + 2);
  assert.ok(isTaken(lock));
  assert.match(readFileSync(file, "utf8"), new RegExp(`^${hostname()} ${process.pid} `));
  await lock.release();
});

test("a process of another container with this host's name is not dead because its number is nobody's here", async (t) => {
  const { at } = await held(t, `${hostname()} ${2 ** 30} 123 1`);
  assert.equal(isTaken(await at(0)), false);
  assert.equal(isTaken(await at(silentMs - 1)), false);
  const lock = await at(silentMs + 1);
  assert.ok(isTaken(lock));
  await lock.release();
});

test("who stood still does not remove the lock of who took it over", async (t) => {
  const file = join(await scratchFolder(t), "a.lock");
  const lock = await tryLock(file);
  assert.ok(isTaken(lock));
  writeFileSync(file, "elsewhere 7 123 4026531836");
  await lock.release();
  assert.equal(readFileSync(file, "utf8"), "elsewhere 7 123 4026531836");
});
