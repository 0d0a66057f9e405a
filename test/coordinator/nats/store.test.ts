/** Who leads, when coordinators and the server die, stop and come back. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import { serviceJournal } from "../../../coordinator/store.ts";
import { journalStream, leaseStream, leaseSubject } from "../../../proto/cluster.ts";
import { findLeader } from "../../../proto/leader.ts";
import { startNats } from "../../natsserver.ts";
import { startContender } from "../contenders.ts";
import { appending, assertOneWriter, type Numbered, until } from "./numbers.ts";
import { cluster, storeOn } from "./storeof.ts";

test("the leader's process is killed, or stopped and wakes again: another leads; the stopped one appends nothing more", async (t) => {
  const server = await startNats(t);
  const start = (name: string) => startContender(t, name, "nats", server.url, cluster, "1000");
  const first = start("first");
  await first.said("at");
  const second = start("second");
  assert.equal((await second.said("standby")).standby, "first");
  const killedMs = performance.now();
  first.process.kill("SIGKILL");
  const taken = await second.said("fence");
  t.diagnostic(`led again ${Math.round(performance.now() - killedMs)} ms after the kill`);
  assert.ok(Number(taken.records) > Number(first.last("at")!.at));
  await second.said("at");

  const third = start("third");
  await third.said("standby");
  const stoppedMs = performance.now();
  second.process.kill("SIGSTOP");
  await third.said("fence");
  t.diagnostic(`led again ${Math.round(performance.now() - stoppedMs)} ms after the stop`);
  await third.said("at");
  const heard = second.count();
  second.process.kill("SIGCONT");
  const lost = await second.said("lost", heard);
  assert.deepEqual([lost.holds, (await second.said("code", heard)).code], [false, "stale_term"]);

  third.process.send("resign");
  await once(third.process, "exit");
  const store = await storeOn(t, [server.url]);
  await assertOneWriter(store, Number(third.last("at")!.at) + 1);
});

test("the server is killed and comes back, again and again: the leader goes on, and has each record once", async (t) => {
  const server = await startNats(t);
  const store = await storeOn(t, [server.url], { ttlMs: 3_000 });
  const leadership = await store.lead();
  const appended = appending(leadership, await leadership.journal<Numbered>("job"));
  for (let kill = 0; kill < 2; kill++) {
    const before = appended.count();
    await until(() => appended.count() > before + 20);
    await server.kill();
    await server.restart();
  }
  const before = appended.count();
  await until(() => appended.count() > before);
  const count = await appended.end();
  assert.ok(leadership.holds());
  assert.doesNotMatch(store.warnings.join(), /has lost entries/);
  await leadership.resign();
  await assertOneWriter(store, count);
});

test("the server is away for longer than the lease lasts: nobody decides, appends wait; then one leads, never two", async (t) => {
  const server = await startNats(t);
  const a = await storeOn(t, [server.url]);
  const b = await storeOn(t, [server.url]);
  const leadership = await a.lead("a");
  const appended = appending(leadership, await leadership.journal<Numbered>("job"));
  const standing = b.lead("b");
  await until(() => appended.count() > 5);
  await server.stop();
  await until(() => !leadership.holds());
  const count = appended.count();
  await new Promise((next) => setTimeout(next, 1_500));
  assert.ok(appended.count() <= count + 1 && !leadership.holds());
  await server.restart();
  // Who waited longest may take it; here the old leader is given time, and goes on.
  await leadership.held();
  await until(() => appended.count() > count + 5);
  const whenEnded = await appended.end();
  assert.match(a.warnings.join(), /the lease cannot be renewed .* decides nothing until it can.*goes on to lead/s);
  await leadership.resign();
  const next = await standing;
  assert.ok(next.fence > leadership.fence);
  await next.resign();
  await assertOneWriter(a, whenEnded);
});

test("the lease's bucket is lost, the journal is not: the leader learns of it, and fences go on growing", {
  timeout: 60_000,
}, async (t) => {
  const server = await startNats(t);
  const { lead, nats } = await storeOn(t, [server.url]);
  const manager = await nats.connection.jetstreamManager();
  for (const name of ["a", "b", "c"]) await (await lead(name)).resign();
  const first = await lead("first");
  await (await first.journal<number>(serviceJournal)).append(1);
  await manager.streams.delete(leaseStream(cluster));
  assert.match(await first.lost, /is gone/);
  await assert.rejects(first.held(), { code: "stale_term" });
  await first.resign();

  const second = await lead("second");
  assert.ok(second.fence > first.fence, `${second.fence} after ${first.fence}`);
  assert.equal((await findLeader(nats, cluster))?.fence, second.fence);
  const journal = await second.journal<number>(serviceJournal);
  assert.deepEqual(journal.records, [1]);
  await journal.append(2);
  await second.resign();
  assert.equal(await findLeader(nats, cluster), null);

  // What was given up keeps what its fences begin at.
  const third = await lead("third");
  assert.ok(third.fence > second.fence, `${third.fence} after ${second.fence}`);
  assert.deepEqual((await third.journal(serviceJournal)).records, [1, 2]);
  await third.resign();
});

test("a job is forgotten by who leads by the server's word, and as soon as the server answers", async (t) => {
  const server = await startNats(t);
  const { lead, nats, warnings } = await storeOn(t, [server.url], { ttlMs: 3_000 });
  const leadership = await lead("first");
  const journal = await leadership.journal<number>("job");
  await journal.append(1);
  server.pause();
  const forgetting = leadership.forget("job");
  // Longer than the client waits for an answer.
  await new Promise((next) => setTimeout(next, 6_000));
  server.resume();
  await forgetting;
  assert.deepEqual(
    warnings.filter((each) => each.includes("forgotten")),
    [],
  );
  assert.deepEqual((await leadership.journal<number>("job")).records, []);

  // Another takes the lease, and the old leader does not know it yet: the job may have begun again.
  await (await leadership.journal<number>("job")).append(2);
  const manager = await nats.connection.jetstreamManager();
  await nats.connection.jetstream().publish(leaseSubject(cluster), JSON.stringify({ writer: "another", fence: 0 }));
  await assert.rejects(leadership.forget("job"), { code: "stale_term" });
  const { messages } = (await manager.streams.info(journalStream(cluster))).state;
  assert.ok(messages > 0, "what was there is there");
  await leadership.resign();
});

test("what no coordinator wrote into the lease's key is told, and taken over as a dead leader's is", async (t) => {
  const server = await startNats(t);
  const { lead, nats, warnings } = await storeOn(t, [server.url]);
  await (await lead("before")).resign();
  for (const stray of ["garbage", "null", "7", '{"writer":3}', '{"writer":"x","fence":"high"}']) {
    await nats.connection.jetstream().publish(leaseSubject(cluster), stray);
    assert.equal(await findLeader(nats, cluster), null);
  }
  const leadership = await lead("after");
  assert.match(warnings.join(), /holds what no coordinator wrote \(revision \d+\): it is taken over/);
  assert.equal((await findLeader(nats, cluster))?.name, "after");
  await leadership.resign();
});
