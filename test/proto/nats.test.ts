/** What goes wrong with a server is one sentence that says what to do. */
import assert from "node:assert/strict";
import { EventEmitter, once } from "node:events";
import { writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import { NatsError } from "nats";
import { connectNats, isOlder, type NatsChange, type NatsOptions } from "../../proto/nats.ts";
import { isUnreachable } from "../../proto/natserrors.ts";
import { cluster, storeOn } from "../coordinator/nats/storeof.ts";
import { scratchFolder } from "../e2e/limbeck.ts";
import { freePort } from "../freeport.ts";
import { startNats, startNatsCluster } from "../natsserver.ts";
import { authority, leaf } from "../security/cluster.ts";

const refused = (options: Partial<NatsOptions> & Pick<NatsOptions, "urls">, code: string, message: RegExp) =>
  assert.rejects(connectNats({ name: "test", deadlineMs: 600, ...options }), (thrown: Error & { code: string }) => {
    assert.match(thrown.message, message);
    assert.equal(thrown.code, code);
    assert.ok(!thrown.message.includes("\n"));
    return true;
  });

/** Longer than a test may take: what is waited for is not refused. */
const atOnce = { deadlineMs: 600_000 };

test("nobody who listens, and at once a server without JetStream, one that is too old", {
  timeout: 60_000,
}, async (t) => {
  const { host, port } = await freePort();
  await refused(
    { urls: [`nats://${host}:${port}`] },
    "unavailable",
    /^nobody answers as NATS at 127\.0\.0\.1:\d+: is nats-server running there\?$/,
  );
  const without = await startNats(t, { jetStream: "off" });
  const off = /^NATS at \S+ has no JetStream: start it with -js/;
  await refused({ urls: [without.url], ...atOnce }, "unavailable", off);
  const accounts = "accounts { A { users: [{ user: a, password: b }] }, B { jetstream: enabled } }";
  const forOthers = await startNats(t, { lines: [accounts] });
  await refused({ urls: [forOthers.url.replace("//", "//a:b@")], ...atOnce }, "unavailable", off);
  // No old binary is at hand: this says hello as one does.
  const old = createServer((socket) => {
    socket.on("error", () => {});
    socket.write('INFO {"server_id":"x","version":"2.6.6","proto":1,"headers":true,"max_payload":1048576}\r\n');
    socket.on("data", (bytes) => bytes.includes("PING") && socket.write("PONG\r\n"));
  });
  await new Promise<void>((listening) => old.listen(port, host, listening));
  t.after(() => old.close());
  await refused(
    { urls: [`${host}:${port}`], ...atOnce },
    "unavailable",
    /is nats-server 2\.6\.6, which is too old: 2\.9\.0 or newer is needed$/,
  );
});

test("one that is yet to come is waited for, which is said once, and that it is there", {
  timeout: 60_000,
}, async (t) => {
  const server = await startNats(t);
  await server.kill();
  const said: NatsChange[] = [];
  const news = new EventEmitter();
  const told = (change: NatsChange) => {
    said.push(change);
    news.emit("told");
  };
  const connected = connectNats({ urls: [server.url], name: "test", deadlineMs: 60_000, told });
  await once(news, "told");
  await server.restart();
  const nats = await connected;
  t.after(() => nats.close());
  const [first, second, ...more] = said;
  const wait = /^waiting for NATS at 127\.0\.0\.1:\d+, 60 s at the most: nobody answers as NATS at \S+: is nats-server/;
  assert.match(first!.why, wait);
  assert.match(second!.why, /^NATS at 127\.0\.0\.1:\d+ is there after \d+\.\d s$/);
  assert.deepEqual([first!.kind, second!.kind, more], ["away", "back", []]);
});

test("one of a cluster that is starting has JetStream, and is waited for until that answers", {
  timeout: 60_000,
}, async (t) => {
  const [first, ...others] = await startNatsCluster(t, 1);
  const news = new EventEmitter();
  const told = (change: NatsChange) => void news.emit(change.kind, change.why);
  const connected = connectNats({ urls: [first!.url], name: "test", ...atOnce, told });
  const [why] = await once(news, "away");
  assert.match(why, /^waiting for NATS at \S+, 600 s at the most: NATS at \S+ does not answer for JetStream$/);
  await Promise.all(others.map((server) => server.restart()));
  await (await connected).close();
});

test("a name that is not known yet is as a server that is not there yet; what a certificate is wrong in is not", () => {
  const system = (code: string) =>
    Object.assign(new Error(`getaddrinfo ${code} nats`), { code, syscall: "getaddrinfo" });
  for (const code of ["ENOTFOUND", "EAI_AGAIN", "ECONNRESET", "EHOSTUNREACH"])
    assert.ok(isUnreachable(system(code)), code);
  assert.ok(!isUnreachable(system("DEPTH_ZERO_SELF_SIGNED_CERT")));
  assert.ok(!isUnreachable(new NatsError("refused", "AUTHORIZATION_VIOLATION")));
});

test("over TLS: by an authority that is given, and not without", async (t) => {
  const ca = await authority(await scratchFolder(t));
  const { files } = await leaf(ca, "nats", { roles: [], hosts: ["localhost"] });
  const server = await startNats(t, { lines: [`tls { cert_file: "${files.cert}", key_file: "${files.key}" }`] });
  // The client of NATS holds a certificate to a name: of an address it knows none.
  const url = server.url.replace("nats://127.0.0.1", "tls://localhost");
  const nats = await connectNats({ urls: [url], name: "test", ca: ca.file });
  await nats.close();
  const strange = /^NATS at localhost:\d+ .*(certificate|self-signed)/;
  await refused({ urls: [url] }, "unavailable", strange);
  await refused({ urls: [url], ca: `${ca.file}.none` }, "usage", /^--nats-ca: .* cannot be read$/);
});

test("versions are compared by their numbers", () => {
  assert.ok(isOlder("2.8.4", "2.9.0") && isOlder("2.9.0", "2.10.0") && isOlder("1.99.99", "2.0.0"));
  assert.ok(!isOlder("2.9.10", "2.9.0") && !isOlder("2.9.0", "2.9.0") && !isOlder("2.11.0-beta.1", "2.9.0"));
});

test("credentials: wrong, missing, in the URL, in a file that is none", async (t) => {
  const users = 'authorization { users: [{ user: ann, password: "p@ss" }] }';
  const server = await startNats(t, { lines: [users] });
  const at = server.url.slice("nats://".length);
  const wrong = /^NATS at [\d.:]+ does not accept these credentials: give a credentials file, or user:password@/;
  await refused({ urls: [server.url] }, "usage", wrong);
  await refused({ urls: [`nats://ann:no@${at}`] }, "usage", wrong);
  const nats = await connectNats({ urls: [`nats://ann:p%40ss@${at}`], name: "test" });
  assert.doesNotMatch(nats.where, /ann|p@ss/);
  await nats.close();
  await refused({ urls: ["http://x:1"] }, "usage", /is not the URL of a NATS server/);
  for (const [url, shown] of [
    ["nats://ann:secret@:x", "nats://…@:x"],
    ["ann:secret@h:4222x", "…@h:4222x"],
    ["nats://ann:se/cret@h", "nats://…@h"],
    ["nats://ann:12/secret@h:4222", "nats://…@h:4222"],
    ["nats://ann:sec@ret?@h#", "nats://…@h#"],
    ["tls://ann:secret%@h:4222", "tls://…@h:4222"],
    ["nats://%zzsecret@h", "nats://…@h"],
  ]) {
    const message = new RegExp(`^${shown} is not the URL of a NATS server: nats://HOST:4222 is needed; in a user`);
    await refused({ urls: [url!] }, "usage", message);
    await assert.rejects(connectNats({ urls: [url!], name: "test" }), ({ message }) => !/sec|ret|ann|12/.test(message));
  }
  const comma = "nats://ann:sec,ret@h".split(",");
  await refused({ urls: comma }, "usage", /^nats:\/\/…@h is not the URL/);
  const file = join(await scratchFolder(t), "creds");
  await refused({ urls: [server.url], credentials: file }, "usage", /creds cannot be read/);
  writeFileSync(file, "nonsense");
  await refused({ urls: [server.url], credentials: file }, "usage", /creds is no credentials file of NATS/);
});

test("a password that goes over the network in the clear is told of", async () => {
  const told = async (...urls: string[]) => {
    const said: string[] = [];
    const options = { urls, name: "test", deadlineMs: 0, told: ({ why }: { why: string }) => void said.push(why) };
    await assert.rejects(connectNats(options), { code: "unavailable" });
    return said;
  };
  const [said, ...more] = await told("nats://127.0.0.1:1", "nats://ann:secret@192.0.2.1:1");
  assert.match(said!, /^NATS at 192\.0\.2\.1:1 is sent the password without TLS: .* tls:\/\/ asks for TLS$/);
  assert.deepEqual(more, []);
  assert.doesNotMatch(said!, /secret/);
  for (const url of ["nats://192.0.2.1:1", "tls://ann:secret@192.0.2.1:1", "nats://ann:secret@127.0.0.1:1"]) {
    assert.deepEqual(await told(url), [], url);
  }
});

test("a token in the URL, and a permission that is missing", async (t) => {
  const withToken = await startNats(t, { lines: ['authorization { token: "s3cret" }'] });
  const nats = await connectNats({ urls: [withToken.url.replace("//", "//s3cret@")], name: "test" });
  await nats.close();
  const denied = 'permissions: { publish: { deny: ["$KV.>"] } }';
  const server = await startNats(t, { lines: [`authorization { users: [{ user: a, password: b, ${denied} }] }`] });
  const { lead } = await storeOn(t, [server.url.replace("//", "//a:b@")]);
  await assert.rejects(lead(), {
    code: "unavailable",
    message: /does not let this user publish \$KV\.limbeck-test\.leader, which the lease needs: add the permission$/,
  });
});

test("a stream that is full refuses a record in one sentence, and every later one", async (t) => {
  const server = await startNats(t);
  const { lead, nats } = await storeOn(t, [server.url]);
  const leadership = await lead();
  const journal = await leadership.journal<string>("job");
  const manager = await nats.connection.jetstreamManager();
  await manager.streams.update(`LIMBECK_${cluster.toUpperCase()}_JOURNAL`, { max_bytes: 3_000 });
  for (let record = 0; record < 2; record++) await journal.append("x".repeat(1_000));
  const full = {
    code: "unavailable",
    message: /^NATS at \S+ is full and refuses the journal job \(maximum bytes exceeded\): give its stream/,
  };
  await assert.rejects(journal.append("x".repeat(1_000)), full);
  await assert.rejects(journal.append("small"), full);
  await manager.streams.update(`LIMBECK_${cluster.toUpperCase()}_JOURNAL`, { max_bytes: -1, max_msg_size: 300 });
  const again = await leadership.journal<string>("job");
  assert.equal(again.records.length, 2);
  await assert.rejects(again.append("x".repeat(1_000)), {
    code: "unavailable",
    message:
      /refuses the journal job, for it is too large: raise max_payload of the server, or the stream's max_msg_size$/,
  });
  await leadership.resign();
});
