import assert from "node:assert/strict";
import { test } from "node:test";
import { examineNats, type NatsFinding } from "../../../coordinator/nats/examination.ts";
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
  assert.deepEqual(said(findings), ["version ok", "limits ok", "permissions ok", "replicas ok", "clock ok"]);
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

test("a cluster of another name, or a job beside it, is refused", async () => {
  const { code, stderr } = await limbeck("doctor", "--nats", "x", "--cluster", "A.b");
  assert.deepEqual([code, /a cluster cannot be called "A\.b": small letters/.test(stderr)], [2, true]);
});
