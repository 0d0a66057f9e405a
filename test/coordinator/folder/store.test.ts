import assert from "node:assert/strict";
import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { openFolderStore } from "../../../coordinator/folder/store.ts";
import { scratchFolder } from "../../e2e/limbeck.ts";
import { startContender } from "../contenders.ts";

const identity = (name: string) => ({ name, address: `${name}:1`, http: `${name}:2` });
const { signal } = new AbortController();
const alone = { signal, standby: () => assert.fail("there is no other") };

test("journals outlive leaders, a snapshot stands for what was before it, a job is forgotten", async (t) => {
  const store = openFolderStore(join(await scratchFolder(t), "made"));
  const first = await store.lead(identity("a"), alone);
  const journal = await first.journal<number>("job");
  for (const each of [1, 2, 3]) await journal.append(each);
  await journal.compact([6]);
  await journal.append(4);
  await journal.close();
  await first.resign();
  assert.ok(!first.holds());
  await assert.rejects(first.held(), { code: "stale_term" });

  const second = await store.lead(identity("b"), alone);
  assert.equal(second.fence, first.fence + 1);
  const again = await second.journal<number>("job");
  assert.deepEqual(again.records, [6, 4]);
  await second.forget("job");
  const forgotten = await second.journal("job");
  assert.deepEqual(forgotten.records, []);
  await Promise.all([again.close(), forgotten.close()]);
  await second.resign();
});

test("what stands by is told who leads, leads when that one is killed, and can be called off", async (t) => {
  const folder = join(await scratchFolder(t), "state");
  const first = startContender(t, "first", "folder", folder);
  const { fence } = await first.said("fence");
  await first.said("at");
  const second = startContender(t, "second", "folder", folder);
  assert.equal((await second.said("standby")).standby, "first");
  const calledOff = new AbortController();
  const third = openFolderStore(folder).lead(identity("third"), {
    signal: calledOff.signal,
    standby: () => calledOff.abort(new Error("called off")),
  });
  await assert.rejects(third, /called off/);
  first.process.kill("SIGKILL");
  const taken = await second.said("fence");
  assert.equal(taken.fence, Number(fence) + 1);
  assert.ok(Number(taken.records) > Number(first.last("at")!.at), "what was reported is there");
});

test("a number of leaders that cannot be read is not guessed", async (t) => {
  const folder = await scratchFolder(t);
  const store = openFolderStore(folder);
  await (await store.lead(identity("a"), alone)).resign();
  const file = join(folder, "leader.json");
  writeFileSync(file, readFileSync(file, "utf8").slice(0, 9));
  await assert.rejects(store.lead(identity("b"), alone), { code: "corrupt", message: /leader\.json does not say/ });
});

test("who does not know yet that another leads appends, replaces and forgets nothing more", async (t) => {
  const folder = await scratchFolder(t);
  const old = await openFolderStore(folder).lead(identity("a"), alone);
  const [service, compacted] = [await old.journal<number>("service"), await old.journal<number>("job")];
  await service.append(1);
  await compacted.append(1);
  // As after half a minute's standstill: the lock is another's, and the old leader has not looked.
  rmSync(join(folder, "leader.lock"));
  const next = await openFolderStore(folder).lead(identity("b"), alone);
  const taken = await next.journal<number>("service");
  const job = await next.journal<number>("job");
  assert.ok(old.holds(), "it takes itself for the leader");
  await assert.rejects(service.append(8), { code: "stale_term", message: new RegExp(`fence ${next.fence}`) });
  await assert.rejects(compacted.compact([8]), { code: "stale_term" });
  await assert.rejects(old.journal("service"), { code: "stale_term" });
  await old.forget("job");
  await taken.append(2);
  await job.append(2);
  for (const each of [service, compacted, taken, job]) await each.close();
  for (const name of ["service", "job"]) {
    const again = await next.journal<number>(name);
    assert.deepEqual(again.records, [1, 2]);
    await again.close();
  }
  await old.resign();
  assert.ok(readdirSync(folder).includes("leader.lock"), "it is not the old leader's to remove");
  await next.resign();
});

test("an older number that was written over a newer one gives no fence twice", async (t) => {
  const folder = await scratchFolder(t);
  const store = openFolderStore(folder);
  const first = await store.lead(identity("a"), alone);
  const file = join(folder, "leader.json");
  const older = readFileSync(file, "utf8");
  await first.resign();
  const second = await store.lead(identity("b"), alone);
  await (await second.journal("service")).close();
  await second.resign();
  writeFileSync(file, older);
  const third = await store.lead(identity("c"), alone);
  assert.equal(third.fence, second.fence + 1);
  await third.resign();
});
