import assert from "node:assert/strict";
import { test } from "node:test";
import { DiscardPolicy, nanos, RetentionPolicy, StorageType } from "nats";
import { examineNats, type NatsFinding } from "../../../coordinator/nats/examination.ts";
import { streamProblems } from "../../../coordinator/nats/streamcheck.ts";
import { limbeck } from "../../e2e/limbeck.ts";
import { startNats } from "../../natsserver.ts";
import { cluster, storeOn } from "./storeof.ts";

const said = (findings: readonly NatsFinding[]) => findings.map(({ check, severity }) => `${check} ${severity}`);

test("a server as it should be: nothing is wrong, nothing is left of the examination", async (t) => {
  const server = await startNats(t);
  const { lead, nats } = await storeOn(t, [server.url]);
  const leadership = await lead();
  const journal = await leadership.journal<number>("doctor");
  const findings = await examineNats({ urls: [server.url], name: "test" }, cluster);
  assert.deepEqual(said(findings), [
    ...["version ok", "limits ok", "permissions ok", "streams ok", "replicas ok", "clock ok"],
  ]);
  assert.match(findings[0]!.text, /^NATS at \S+ is nats-server \d+\.\d+\.\d+ with JetStream/);
  await journal.append(1);
  const names = await (await nats.connection.jetstreamManager()).streams.names().next();
  assert.deepEqual(names.sort(), ["KV_limbeck-test", "LIMBECK_TEST_EVENTS", "LIMBECK_TEST_JOURNAL"]);
  await leadership.resign();
});

test("small messages, little room, and each permission that is missing are told, by the command line, too", async (t) => {
  const denied =
    'permissions: { publish: { deny: ["limbeck.test.journal.>", "$JS.API.STREAM.INFO.KV_limbeck-test"] } }';
  const users = `authorization { users: [{ user: a, password: b }, { user: c, password: d, ${denied} }] }`;
  const server = await startNats(t, { lines: [users, "max_payload: 8192"] });
  const url = server.url.replace("//", "//c:d@");
  const { code, stdout } = await limbeck("doctor", "--nats", url, "--cluster", cluster, "-o", "json");
  assert.equal(code, 1);
  const findings = JSON.parse(stdout) as NatsFinding[];
  assert.deepEqual(said(findings).slice(0, 4), [
    "version ok",
    "limits warning",
    "permissions error",
    "permissions error",
  ]);
  const text = findings.map((each) => each.text).join("\n");
  assert.match(text, /may not publish limbeck\.test\.journal\.doctor: add the permission/);
  assert.match(text, /may not publish \$JS\.API\.STREAM\.INFO\.KV_limbeck-test: add/);
  assert.ok(!text.includes("c:d"));
  await server.kill();
  const gone = await limbeck("doctor", "--nats", url);
  assert.match(
    gone.stdout,
    /^doctor: connection: error, nobody answers as NATS at \S+: is nats-server running there\?\n$/,
  );
  assert.deepEqual([gone.code, gone.stderr], [1, ""]);
});

test("each request to JetStream that is not allowed is told, and asking for it changes nothing", async (t) => {
  const refused = [
    ...["STREAM.CREATE.LIMBECK_TEST_JOURNAL", "STREAM.UPDATE.LIMBECK_TEST_EVENTS", "STREAM.MSG.GET.KV_limbeck-test"],
    ...["CONSUMER.CREATE.>", "CONSUMER.MSG.NEXT.LIMBECK_TEST_EVENTS.>", "CONSUMER.DELETE.>", "STREAM.PURGE.>"],
  ].map((request) => `"$JS.API.${request}"`);
  const denied = `permissions: { publish: { deny: [${refused.join(", ")}] } }`;
  const users = `authorization { users: [{ user: a, password: b }, { user: c, password: d, ${denied} }] }`;
  const server = await startNats(t, { lines: [users] });
  const { lead, nats } = await storeOn(t, [server.url.replace("//", "//a:b@")]);
  const leadership = await lead();
  const journal = await leadership.journal<number>("doctor");
  await journal.append(1);
  const { streams } = await nats.connection.jetstreamManager();
  const kept = async () => {
    const all = await streams.list().next();
    const sorted = all.sort((a, b) => (a.config.name < b.config.name ? -1 : 1));
    return sorted.map(({ config, state: { messages, consumer_count } }) => ({ config, messages, consumer_count }));
  };
  const before = await kept();
  const missing = async (user: string) => {
    const urls = [server.url.replace("//", `//${user}@`)];
    const found = await examineNats({ urls, name: "test" }, cluster);
    return found.filter(({ check }) => check === "permissions").map(({ text }) => text);
  };
  assert.deepEqual(await missing("a:b"), ["this user may do what a coordinator of test does"]);
  const told = (await missing("c:d")).map((text) => /^this user may not publish \$JS\.API\.(\S+): add/.exec(text)?.[1]);
  assert.deepEqual(told.sort(), [
    ...["CONSUMER.CREATE.LIMBECK_TEST_EVENTS", "CONSUMER.CREATE.LIMBECK_TEST_JOURNAL"],
    ...["CONSUMER.DELETE.LIMBECK_TEST_EVENTS.doctor", "CONSUMER.DELETE.LIMBECK_TEST_JOURNAL.doctor"],
    ...["CONSUMER.MSG.NEXT.LIMBECK_TEST_EVENTS.doctor", "STREAM.CREATE.LIMBECK_TEST_JOURNAL"],
    ...["STREAM.MSG.GET.KV_limbeck-test", "STREAM.PURGE.LIMBECK_TEST_EVENTS", "STREAM.PURGE.LIMBECK_TEST_JOURNAL"],
    "STREAM.UPDATE.LIMBECK_TEST_EVENTS",
  ]);
  assert.deepEqual(await kept(), before);
  await journal.append(2);
  await leadership.resign();
});

test("a server that has no room for the first coordinator's streams is told, whatever the account may have", async (t) => {
  const server = await startNats(t, { store: ["max_file_store: 20MB"] });
  const findings = async () => {
    const found = await examineNats({ urls: [server.url], name: "test" }, cluster);
    return found.filter(({ check }) => check === "limits").map(({ severity, text }) => `${severity}: ${text}`);
  };
  const said =
    /^error: NATS at \S+ is full and refuses a stream of 256.0 MiB, as the first coordinator makes one for events/;
  assert.match((await findings())[0]!, said);
  const { lead, nats } = await storeOn(t, [server.url]);
  await assert.rejects(lead(), { code: "unavailable", message: /is full and refuses the stream LIMBECK_TEST_EVENTS/ });
  const { streams } = await nats.connection.jetstreamManager();
  const names = async () => (await streams.names().next()).sort();
  assert.deepEqual(await names(), ["KV_limbeck-test", "LIMBECK_TEST_JOURNAL"], "nothing is left of the examination");
  await streams.add({ name: "LIMBECK_TEST_EVENTS", subjects: ["limbeck.test.events.>"], max_bytes: 10_000_000 });
  await streams.update("LIMBECK_TEST_JOURNAL", { max_bytes: 5_000_000 });
  assert.match(
    (await findings())[0]!,
    /^warning: .* 4.\d MiB of storage left: give it more, or jobs will find it full$/,
  );
});

test("streams that are there and would lose what they have taken are told, with the command that mends them", async (t) => {
  const server = await startNats(t);
  const { nats } = await storeOn(t, [server.url]);
  const manager = await nats.connection.jetstreamManager();
  const journal = { name: "LIMBECK_TEST_JOURNAL", subjects: ["limbeck.test.journal.>"] };
  const lease = { name: "KV_limbeck-test", subjects: ["$KV.limbeck-test.>"] };
  const findings = async () => {
    const found = await examineNats({ urls: [server.url], name: "test" }, cluster);
    return found.filter(({ check }) => check === "streams").map(({ severity, text }) => `${severity}: ${text}`);
  };
  await manager.streams.add({ ...journal, discard: DiscardPolicy.Old, max_age: nanos(60_000), max_bytes: 5_000 });
  await manager.streams.add({ ...lease, max_age: nanos(120_000) });
  assert.deepEqual(await findings(), [
    "error: LIMBECK_TEST_JOURNAL forgets what is older than 60 s (max_age): nats stream edit LIMBECK_TEST_JOURNAL --max-age=0",
    "error: LIMBECK_TEST_JOURNAL drops its oldest above 5000 bytes (discard: old): nats stream edit LIMBECK_TEST_JOURNAL --discard=new",
    "error: KV_limbeck-test forgets what is older than 120 s (max_age): nats stream edit KV_limbeck-test --max-age=0",
  ]);
  await manager.streams.update(journal.name, { max_age: 0, max_bytes: -1 });
  assert.match((await findings())[0]!, /^warning: LIMBECK_TEST_JOURNAL would drop its oldest if it had a limit/);
  const { code, stdout } = await limbeck("doctor", "--nats", server.url, "--cluster", cluster);
  assert.equal(code, 1, "of the lease");
  assert.match(stdout, /^doctor: streams: error, KV_limbeck-test forgets/m);
  await manager.streams.update(journal.name, { discard: DiscardPolicy.New });
  await manager.streams.update(lease.name, { max_age: 0 });
  assert.deepEqual(await findings(), ["ok: the streams of test that are there keep what is written into them"]);
  for (const [changes, says] of [
    [{ max_msgs_per_subject: 100 }, /keeps 100 messages of a journal/],
    [{ retention: RetentionPolicy.Workqueue }, /drops what was read \(retention: workqueue\): stop the coordinators/],
    [{ storage: StorageType.Memory }, /is in memory, and ends with its server/],
    [{ no_ack: true }, /does not say what it has stored/],
    [{ sealed: true }, /takes nothing any more/],
    [{ deny_purge: true }, /cannot be compacted/],
    [{ subjects: ["limbeck.other.journal.>"] }, /does not take limbeck\.test\.journal\.>/],
  ] as const) {
    const config = { ...journal, ...changes } as Parameters<typeof streamProblems>[0];
    const [found, ...more] = streamProblems(config, journal.subjects);
    assert.match(found!.text, says);
    assert.deepEqual(more, []);
  }
});

test("a cluster of another name, or a job beside it, is refused", async () => {
  const { code, stderr } = await limbeck("doctor", "--nats", "x", "--cluster", "A.b");
  assert.deepEqual([code, /a cluster cannot be called "A\.b": small letters/.test(stderr)], [2, true]);
});
