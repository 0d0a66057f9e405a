import assert from "node:assert/strict";
import { fork } from "node:child_process";
import { once } from "node:events";
import { appendFileSync, existsSync, readFileSync, truncateSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { openJournal, openJournalFile } from "../../../coordinator/folder/journal.ts";
import type { JournalRecord } from "../../../coordinator/journalrecord.ts";
import { openRecords } from "../../../coordinator/records.ts";
import { parseJob } from "../../../core/jobfile.ts";
import { randomStream } from "../../../core/random.ts";
import { text } from "../../core/samplejob.ts";
import { scratchFolder } from "../../e2e/limbeck.ts";

// The sources and dist/ alike: .ts there, .js here.
const appender = fileURLToPath(import.meta.url).replace(/journal\.test(\.[jt]s)$/, "appender$1");
const record = (at: number) => ({ kind: "started", atMs: at, build: "b" }) as const;

/** A journal of three records, closed. */
async function threeRecords(folder: string): Promise<string> {
  const journal = await openJournal<JournalRecord>(folder);
  for (const at of [0, 1, 2]) await journal.append(record(at));
  await journal.close();
  return join(folder, "journal.jsonl");
}

test("what was appended is there again, in order", async (t) => {
  const folder = join(await scratchFolder(t), "made", "on the way");
  await threeRecords(folder);
  const journal = await openJournal<JournalRecord>(folder);
  assert.deepEqual(journal.records, [record(0), record(1), record(2)]);
  assert.equal(journal.note, "");
  await journal.append(record(3));
  await journal.close();
  const again = await openJournal<JournalRecord>(folder);
  assert.equal(again.records.length, 4);
  await again.close();
  assert.ok(!existsSync(join(folder, "journal.lock")));
});

test("wherever the last line is torn, the others stay and the next append is whole", async (t) => {
  const folder = await scratchFolder(t);
  const file = await threeRecords(folder);
  const bytes = readFileSync(file);
  const lastStart = bytes.lastIndexOf(10, bytes.length - 2) + 1;
  for (let length = lastStart + 1; length < bytes.length; length++) {
    writeFileSync(file, bytes.subarray(0, length));
    const journal = await openJournal<JournalRecord>(folder);
    assert.deepEqual(journal.records, [record(0), record(1)]);
    assert.match(journal.note, /line 3, was torn and is cut off \(\d+ bytes\)/);
    await journal.append(record(9));
    await journal.close();
    const again = await openJournal<JournalRecord>(folder);
    assert.deepEqual(again.records, [record(0), record(1), record(9)]);
    await again.close();
  }
});

test("a flipped bit in the last line cuts it off, one in the middle is refused with its line", async (t) => {
  const folder = await scratchFolder(t);
  const file = await threeRecords(folder);
  const lines = readFileSync(file, "utf8").split("\n");
  writeFileSync(file, lines.map((line, at) => (at === 2 ? line.replace('"atMs":2', '"atMs":3') : line)).join("\n"));
  const journal = await openJournal<JournalRecord>(folder);
  assert.deepEqual(journal.records, [record(0), record(1)]);
  await journal.close();
  writeFileSync(file, lines.map((line, at) => (at === 1 ? line.replace('"atMs":1', '"atMs":3') : line)).join("\n"));
  await assert.rejects(openJournal(folder), { code: "corrupt", message: /journal\.jsonl:2 is damaged/ });
  assert.ok(!existsSync(join(folder, "journal.lock")), "the lock is given back");
});

test("one process holds a journal; that of a dead one is taken over", async (t) => {
  const folder = await scratchFolder(t);
  const journal = await openJournal<JournalRecord>(folder);
  await assert.rejects(openJournal(folder), {
    code: "unavailable",
    message: new RegExp(`process ${process.pid} holds .*journal\\.lock`),
  });
  await journal.close();
  // A dead process, and one that had the id of a living one.
  for (const [pid, start] of [
    [2 ** 30, "1"],
    [process.pid, "1"],
  ]) {
    writeFileSync(join(folder, "journal.lock"), `${hostname()} ${pid} ${start}`);
    await (await openJournal<JournalRecord>(folder)).close();
  }
});

test("what has a journal open from before it was opened again appends nowhere", async (t) => {
  const folder = await scratchFolder(t);
  const path = await threeRecords(folder);
  const old = await openJournalFile<JournalRecord>(path);
  const journal = await openJournalFile<JournalRecord>(path);
  await old.append(record(8));
  await journal.append(record(3));
  await Promise.all([old.close(), journal.close()]);
  const again = await openJournalFile<JournalRecord>(path);
  assert.deepEqual(again.records, [0, 1, 2, 3].map(record));
  await again.close();
});

test("events of a resumed run come first, a torn one is cut off, a damaged one is passed over", async (t) => {
  const folder = await scratchFolder(t);
  const job = parseJob(text, "job.yaml");
  const events = [0, 1, 2].map((at) => ({ kind: "job-stopped", why: "x", atMs: at }) as const);
  const records = await openRecords(folder, job, folder, { resume: false });
  for (const event of events) await records.append(event);
  await records.close();
  await assert.rejects(openRecords(folder, job, folder), { code: "usage", message: /holds another run/ });
  const file = join(folder, "events.jsonl");
  truncateSync(file, readFileSync(file).length - 3);
  const torn = await openRecords(folder, job, folder, { resume: true });
  assert.deepEqual(torn.events, events.slice(0, 2));
  assert.match(torn.note, /line 3, was torn/);
  await torn.close();
  appendFileSync(file, `{"kind":\n${JSON.stringify(events[2])}\n`);
  const damaged = await openRecords(folder, job, folder, { resume: true });
  assert.deepEqual(damaged.events, events);
  assert.match(damaged.note, /events\.jsonl:3 is damaged/);
  await damaged.close();
});

test("kill -9 while records are appended loses nothing that was reported", async (t) => {
  const folder = join(await scratchFolder(t), "state");
  const random = randomStream(11);
  for (let kill = 0; kill < 8; kill++) {
    const child = fork(appender, [folder], { stdio: "inherit" });
    let reported = -1;
    child.on("message", (at) => {
      reported = Number(at);
    });
    const died = once(child, "close").then(() => assert.fail("the appender died by itself"));
    await Promise.race([once(child, "message"), died]);
    await sleep(random() * 60);
    child.kill("SIGKILL");
    await died.catch(() => undefined);

    const journal = await openJournal<JournalRecord>(folder);
    const counted = journal.records.map((each) => (each.kind === "started" ? each.atMs : -1));
    assert.deepEqual(counted, [...counted.keys()]);
    assert.ok(counted.length > reported, `${counted.length} records, ${reported} reported`);
    await journal.close();
    const records = await openRecords(folder, parseJob(text, "job.yaml"), folder, { resume: true });
    assert.ok(records.events.at(-1)!.atMs >= reported, `${records.events.at(-1)!.atMs}, reported ${reported}`);
    await records.close();
    assert.ok(readFileSync(join(folder, "quarantine.jsonl"), "utf8").includes(`{"at":${reported}}`));
  }
});
