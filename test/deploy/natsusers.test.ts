/** The chart's nats.conf on a real server: what each of its users may do, and all that it may not. */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { Empty, type NatsConnection } from "nats";
import {
  artifactBucket,
  eventSubject,
  journalStream,
  journalSubject,
  leaderSubject,
  leaseStream,
  leaseSubject,
} from "../../proto/cluster.ts";
import { within } from "../../proto/depot/depot.ts";
import { openDepot } from "../../proto/depot/open.ts";
import { findLeader } from "../../proto/leader.ts";
import { connectNats, type Nats } from "../../proto/nats.ts";
import { leaseWhereabouts } from "../../proto/natswhereabouts.ts";
import { cluster, lead, served } from "./chart/natsserved.ts";

const bounded = { timeout: 60_000 };
/** Sends, and waits until the server has seen it: what it refuses it refuses before it answers. */
async function tried(connection: NatsConnection, subject: string, reply?: string): Promise<void> {
  const text = JSON.stringify({ kind: "submitted", job: "planted" });
  connection.publish(subject, text, reply === undefined ? {} : { reply });
  await connection.flush();
}

/** What the journals and the lease's bucket hold. */
async function held({ connection }: Nats): Promise<readonly [journal: number, writer: string]> {
  const manager = await connection.jetstreamManager({ checkAPI: false });
  const { state } = await manager.streams.info(journalStream(cluster));
  const { data } = await manager.streams.getMessage(leaseStream(cluster), { last_by_subj: leaseSubject(cluster) });
  return [state.last_seq, JSON.parse(Buffer.from(data).toString()).writer];
}

test("workers and clients find the leader, and write, purge and read nothing else", bounded, async (t) => {
  const server = await served(t);
  if (!server) return;
  const coordinator = await server.as("coordinator");
  const leadership = await lead(coordinator, "one");
  const journal = await leadership.journal<object>("service");
  await journal.append({ kind: "submitted", job: "mine" });
  const before = await held(coordinator);

  for (const user of ["worker", "client"]) {
    const nats = await server.as(user);
    const { connection } = nats;
    assert.equal((await findLeader(nats, cluster))?.address, "one:7070");

    const heard: string[] = [];
    const wanted = ["limbeck.>", "$KV.>", "$JS.>", journalSubject(cluster, "service"), leaseSubject(cluster), ">"];
    for (const subject of wanted) {
      connection.subscribe(subject, { callback: (error, { subject: at }) => void (error ?? heard.push(at)) });
    }
    await connection.flush();

    const targets = [
      ...[journalSubject(cluster, "service"), leaseSubject(cluster), leaderSubject(cluster)],
      eventSubject(cluster, "mine", "stepped"),
    ];
    for (const subject of targets) await tried(connection, subject);
    // An answer goes where its question says: not into a subject of another account.
    const questions = ["$JS.API.INFO", `$JS.API.STREAM.MSG.GET.${leaseStream(cluster)}`];
    for (const question of questions) for (const reply of targets) await tried(connection, question, reply);

    const streams = [journalStream(cluster), leaseStream(cluster)];
    const calls = streams.flatMap((stream) => [
      ...["PURGE", "DELETE", "UPDATE", "INFO", "MSG.DELETE", "SNAPSHOT"].map((what) => `STREAM.${what}.${stream}`),
      ...[`CONSUMER.CREATE.${stream}`, `CONSUMER.DURABLE.CREATE.${stream}.a`, `CONSUMER.NAMES.${stream}`],
    ]);
    calls.push(`STREAM.MSG.GET.${journalStream(cluster)}`, "STREAM.NAMES", "STREAM.CREATE.MINE", "STREAM.LIST");
    for (const call of calls) {
      const asked = connection.request(`$JS.API.${call}`, Empty, { timeout: 500 });
      await assert.rejects(asked, /Permissions Violation/i, `${user}: ${call}`);
    }
    await journal.append({ kind: "submitted", job: `after ${user}` });
    await connection.flush();
    assert.deepEqual(heard, [], `${user} hears of no journal`);
  }
  const [last, writer] = await held(coordinator);
  assert.deepEqual([last, writer], [before[0] + 2, before[1]], "what the leader appended, and no more");
  assert.ok(leadership.holds());
  await leadership.resign();
  const again = await lead(coordinator, "two");
  assert.deepEqual(
    (await again.journal<{ job: string }>("service")).records.map(({ job }) => job),
    [...["mine", "after worker", "after client"]],
  );
  await again.resign();
});

test("a worker is told of the next leader at once, and of events as they come", bounded, async (t) => {
  const server = await served(t);
  if (!server) return;
  const first = await lead(await server.as("coordinator"), "one");
  const user = { name: "worker", password: server.passwords["worker"]! };
  const where = leaseWhereabouts({ urls: [server.url], name: "worker", user }, cluster);
  t.after(() => where.close());
  await where.ready;
  assert.equal(where.address(), "one:7070");
  const moved = new Promise<string>((resolve) => where.onMoved(resolve));
  const { connection } = await server.as("client");
  const event = new Promise<Uint8Array>((resolve) => {
    connection.subscribe(eventSubject(cluster, "mine", "job-paused"), { callback: (_, { data }) => resolve(data) });
  });
  await connection.flush();
  const events = await first.events("mine");
  await events.append({ kind: "job-paused", why: "a test asks", atMs: 1 });
  assert.deepEqual(JSON.parse(Buffer.from(await event).toString()), {
    kind: "job-paused",
    why: "a test asks",
    atMs: 1,
  });
  await first.resign();
  const next = await lead(await server.as("coordinator"), "two");
  assert.equal(await moved, "two:7070");
  await next.resign();
});

test("workers and coordinators have the depot in common, and reach no journal by it", bounded, async (t) => {
  const server = await served(t);
  if (!server) return;
  const coordinator = await server.as("coordinator");
  const leadership = await lead(coordinator, "one");
  await (await leadership.journal<object>("service")).append({ kind: "submitted", job: "mine" });
  const before = await held(coordinator);
  const { env, url } = server.depot;
  const asWorker = await openDepot(url, {
    env: { ...env, LIMBECK_NATS_DEPOT_USER: "", LIMBECK_NATS_DEPOT_PASSWORD: "" },
  });
  await assert.rejects(asWorker.put("teach/step-8/weights", randomBytes(10)), {
    code: "unavailable",
    message: /does not let this user publish/,
  });
  await asWorker.close();
  const [one, two] = [await openDepot(url, { env }), await openDepot(url, { env })];
  const bytes = randomBytes(300_000);
  await within(one, "job").put("teach/step-8/weights", bytes);
  assert.deepEqual(
    (await within(two, "job").list("")).map(({ key }) => key),
    ["teach/step-8/weights"],
  );
  assert.deepEqual(await within(two, "job").read("teach/step-8/weights"), bytes);
  await within(two, "job").remove("teach/step-8/weights");
  assert.deepEqual(await within(one, "job").list(""), []);
  await Promise.all([one.close(), two.close()]);

  const { connection } = await server.as("depot");
  const manager = await connection.jetstreamManager({ checkAPI: false });
  assert.deepEqual(await manager.streams.names().next(), [`OBJ_${artifactBucket(cluster)}`]);
  // All it may within its account, which is beside that of the journals: the same subjects are others there.
  for (const subject of [journalSubject(cluster, "service"), leaseSubject(cluster), leaderSubject(cluster)]) {
    await tried(connection, subject);
    await manager.consumers.add(`OBJ_${artifactBucket(cluster)}`, { deliver_subject: subject, filter_subject: "$O.>" });
  }
  await assert.rejects(manager.streams.purge(journalStream(cluster)), /stream not found/);
  await sleep(200);
  assert.deepEqual(await held(coordinator), before);
  await leadership.resign();
});

test("who has no password, or a wrong one, has nothing", bounded, async (t) => {
  const server = await served(t);
  if (!server) return;
  await server.as("coordinator");
  for (const user of [undefined, { name: "coordinator", password: "wrong" }, { name: "admin", password: "" }]) {
    const connecting = connectNats({ urls: [server.url], name: "stranger", deadlineMs: 1_000, user });
    await assert.rejects(connecting, { code: "usage", message: /does not accept these credentials/ });
  }
});
