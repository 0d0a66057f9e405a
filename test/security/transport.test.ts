/** mTLS between processes of a cluster: who is refused, what is said of it on both sides, and what a renewal changes. */
import assert from "node:assert/strict";
import { copyFileSync, readFileSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { type TestContext, test } from "node:test";
import { connect as connectTls } from "node:tls";
import { Client, Server } from "@grpc/grpc-js";
import { LimbeckError } from "../../core/errors.ts";
import { identityOf } from "../../core/security/identity.ts";
import { isLoopback, isLoopbackAddress } from "../../core/security/loopback.ts";
import { connectCoordinator } from "../../proto/clients.ts";
import type { TlsFiles } from "../../proto/security/certificates.ts";
import type { Called } from "../../proto/security/dialing.ts";
import type { Security } from "../../proto/security/security.ts";
import { givenAddresses } from "../../proto/whereabouts.ts";
import { coordinatorService, jobsClient, jobsService, peerService, teacherService } from "../../proto/wire.ts";
import { scratchFolder } from "../e2e/limbeck.ts";
import { type Authority, authority, leaf, opened, serving } from "./cluster.ts";

interface Scene {
  readonly ca: Authority;
  readonly server: ReturnType<typeof opened>;
  readonly files: TlsFiles;
  readonly address: string;
}

async function scene(
  t: TestContext,
  roles: readonly ("coordinator" | "worker" | "viewer")[] = ["coordinator"],
): Promise<Scene> {
  const ca = await authority(await scratchFolder(t));
  const { files } = await leaf(ca, "server", { roles });
  const server = opened(t, files);
  return {
    ca,
    server,
    files,
    address: await serving(t, server, [coordinatorService, jobsService, peerService, teacherService]),
  };
}

/** Lists jobs. @returns the error's message; empty where it went well */
function listing(security: Security, address: string): Promise<string> {
  const client = jobsClient(address, { security });
  return new Promise((resolve) => {
    client.list({}, { deadline: Date.now() + 5_000 }, (error) => {
      client.close();
      resolve(error?.details ?? "");
    });
  });
}

test("one of the cluster is let in", async (t) => {
  const { ca, address } = await scene(t);
  const { files } = await leaf(ca, "viewer", { roles: ["viewer"] });
  const viewer = opened(t, files);
  assert.equal(await listing(viewer, address), "");
  assert.equal(await viewer.problem("coordinator", address), "");
});

test("a stranger's certificate is refused before any call, and the server says why", async (t) => {
  const { ca, server, address } = await scene(t);
  const other = await authority(ca.folder, "other");
  const stranger = await leaf(other, "stranger", { roles: ["worker"] });
  const past = { fromMs: Date.now() - 7_200_000, untilMs: Date.now() - 1_000 };
  const expired = await leaf(ca, "expired", { roles: ["worker"], ...past });
  const early = await leaf(ca, "early", { roles: ["worker"], fromMs: Date.now() + 600_000 });
  // Its own process would not even begin with these: so without one.
  const knock = (pem?: { certificate: string; key: string }) =>
    new Promise<string>((resolve) => {
      const shown = pem ? { cert: pem.certificate, key: pem.key } : {};
      const [, port] = address.split(":");
      const socket = connectTls({
        port: Number(port),
        host: "127.0.0.1",
        ca: readFileSync(ca.file),
        ALPNProtocols: ["h2"],
        ...shown,
      });
      socket.on("error", () => {});
      socket.on("data", () => resolve("it spoke"));
      socket.on("close", () => resolve("refused"));
    });
  assert.equal(await knock(), "refused");
  await server.until(/^127\.0\.0\.1:\d+: a connection is refused: it shows no certificate$/);
  assert.equal(await knock(stranger.pem), "refused");
  await server.until(/a connection is refused: its certificate is not signed by an authority in --tls-ca/);
  assert.equal(await knock(expired.pem), "refused");
  await server.until(/a connection is refused: its certificate has expired$/);
  assert.equal(await knock(early.pem), "refused");
  await server.until(/a connection is refused: its certificate is not valid yet$/);
  const plain = opened(t, null);
  assert.notEqual(await listing(plain, address), "");
  await server.until(/a connection is refused: it does not speak TLS$/);
});

test("what a process has itself is looked at before anybody else refuses it", async (t) => {
  const { ca, files } = await scene(t);
  const other = await authority(ca.folder, "other");
  const stranger = await leaf(other, "stranger", { roles: ["worker"] });
  const past = { fromMs: Date.now() - 7_200_000, untilMs: Date.now() - 1_000 };
  const expired = await leaf(ca, "expired", { roles: ["worker"], ...past });
  const says = (given: TlsFiles, message: RegExp) =>
    assert.throws(
      () => opened(t, given),
      (thrown) => thrown instanceof LimbeckError && thrown.code === "usage" && message.test(thrown.message),
    );
  says(
    { ...stranger.files, ca: ca.file },
    /^--tls-cert: .*stranger\.pem is not signed by an authority in .*ca\.pem: both must be of/,
  );
  says(expired.files, /^--tls-cert: .*expired\.pem expired at \d{4}-\d\d-\d\dT[\d:]+Z: renew it$/);
  says(
    { ...files, key: stranger.files.key },
    /^--tls-key: .*stranger\.key is not the key of the certificate in .*server\.pem$/,
  );
  says({ ...files, key: files.cert }, /^--tls-key: .*server\.pem holds no private key in PEM/);
  says({ ...files, ca: files.key }, /^--tls-ca: .*server\.key holds no certificate of an authority in PEM$/);
  says({ ...files, ca: `${files.ca}.none` }, /^--tls-ca: .* cannot be read: there is no such file$/);
});

test("a client holds a server to its role in the cluster", async (t) => {
  const { ca, address } = await scene(t, ["viewer"]);
  const client = opened(t, (await leaf(ca, "client", { roles: ["submitter"] })).files);
  assert.match(
    await listing(client, address),
    /the certificate of the coordinator at 127\.0\.0\.1:\d+ is refused: it has the role viewer/,
  );
  assert.match(
    await client.problem("worker", address),
    /^the certificate of the worker at .* is refused: it has the role viewer$/,
  );

  const shows = async (name: string, told: Parameters<typeof leaf>[2]) =>
    serving(t, opened(t, (await leaf(ca, name, told)).files), [jobsService]);
  const elsewhere = await shows("elsewhere", { roles: ["coordinator", "worker"], cluster: "beta" });
  for (const whom of ["coordinator", "worker"] satisfies Called[])
    assert.match(await client.problem(whom, elsewhere), /is refused: it is of the cluster beta, this is alpha$/);
  // By a token it may have become a worker, and never a coordinator.
  const member = await shows("member", { roles: [] });
  assert.equal(await client.problem("worker", member), "");
  assert.match(await client.problem("coordinator", member), /is refused: it has no role$/);
});

test("plain to TLS, TLS to plain, and a server of another authority: a sentence each, and none where nobody listens", async (t) => {
  const { ca, address } = await scene(t);
  const client = opened(t, (await leaf(ca, "client", { roles: ["submitter"] })).files);
  const plain = opened(t, null);
  assert.match(
    await plain.problem("coordinator", address),
    /^the coordinator at .* speaks TLS: give --tls-ca, --tls-cert and --tls-key$/,
  );
  const open = await serving(t, plain, [jobsService]);
  assert.match(
    await client.problem("coordinator", open),
    /^the coordinator at .* does not speak TLS: start it with --tls-ca/,
  );
  assert.equal(await plain.problem("coordinator", open), "");
  for (const each of [client, plain]) assert.equal(await each.problem("coordinator", "127.0.0.1:1"), "");
  const other = await authority(ca.folder, "other");
  const stranger = opened(t, (await leaf(other, "stranger", { roles: ["worker"] })).files);
  assert.match(
    await stranger.problem("coordinator", address),
    /^the certificate of the coordinator at .* is refused: it is not signed by an authority in --tls-ca$/,
  );
});

test("peers refuse who may only look: no gradient and no soft target", async (t) => {
  const { ca, address } = await scene(t, ["worker"]);
  const { credentials: shown, options } = opened(t, (await leaf(ca, "viewer", { roles: ["viewer"] })).files).dial(
    "worker",
    address,
  );
  const client = new Client(address, shown, options);
  for (const { path, requestSerialize, responseDeserialize } of [peerService.pull, teacherService.SoftTargets]) {
    const call = client.makeBidiStreamRequest(path, requestSerialize as never, responseDeserialize as never);
    const refused = await new Promise<Error>((resolve) => call.on("error", resolve));
    assert.match(refused.message, /takes the role worker, and the certificate has the role viewer; no token came/);
  }
  client.close();
});

test("a renewed certificate is used for new connections, those there are go on; what is half written is not used", async (t) => {
  const { ca, server, files, address } = await scene(t);
  const client = opened(t, (await leaf(ca, "client", { roles: ["viewer"] })).files);
  const shown = () =>
    new Promise<string>((resolve, reject) => {
      const [, port] = address.split(":");
      const own = {
        ca: readFileSync(ca.file),
        cert: readFileSync(`${ca.folder}/client.pem`),
        key: readFileSync(`${ca.folder}/client.key`),
      };
      const socket = connectTls({ port: Number(port), host: "127.0.0.1", ...own }, () => {
        resolve(socket.getPeerCertificate().serialNumber);
        socket.destroy();
      });
      socket.on("error", reject);
    });
  const watcher = jobsClient(address, { security: client });
  const lists = () => new Promise<string>((resolve) => watcher.list({}, (error) => resolve(error?.details ?? "")));
  assert.equal(await lists(), "");
  const first = await shown();
  const renewed = await leaf(ca, "renewed", { roles: ["coordinator"] });
  writeFileSync(files.cert, renewed.pem.certificate.slice(0, 200));
  await server.until(
    /^the change is not used, what was there before stays: --tls-cert: .* holds no certificate in PEM$/,
  );
  assert.equal(await shown(), first);
  // The new certificate with the old key: as it is between two renames.
  writeFileSync(files.cert, renewed.pem.certificate);
  await server.until(/^the change is not used, .*: --tls-key: .* is not the key of the certificate/);
  assert.equal(await shown(), first);
  copyFileSync(renewed.files.key, files.key);
  await server.until(/the change is used from now on$/);
  assert.notEqual(await shown(), first);
  assert.equal(await lists(), "", "on the connection of before");
  watcher.close();

  // The client's own: an authority that replaces the other is in force for its next channel.
  const next = await authority(ca.folder, "next");
  const served = await serving(t, opened(t, (await leaf(next, "nextserver", { roles: ["coordinator"] })).files), [
    jobsService,
  ]);
  assert.match(await listing(client, served), /self-signed|unable to/i);
  const its = await leaf(next, "nextclient", { roles: ["viewer"] });
  copyFileSync(its.files.cert, `${ca.folder}/client.pem`);
  copyFileSync(its.files.key, `${ca.folder}/client.key`);
  copyFileSync(next.file, ca.file);
  await client.until(/ca\.pem, .*client\.pem, .*client\.key: the change is used from now on$/);
  assert.equal(await listing(client, served), "");
});

test("off loopback nobody listens and nobody calls without TLS, unless it is said aloud", async (t) => {
  const plain = opened(t, null);
  const refused = /: give --tls-ca, --tls-cert and --tls-key \(limbeck certs makes them for trying it\), or --insecure/;
  for (const host of ["0.0.0.0", "::", "10.0.0.1", "limbeck.test"])
    await assert.rejects(plain.listen(new Server(), { host, port: 0 }), refused, host);
  for (const address of ["10.0.0.1:7070", "[fd00::1]:7070", "coordinator:7070"]) {
    assert.throws(() => jobsClient(address, { security: plain }), refused);
    assert.throws(() => jobsClient(address), refused, "which is so if nothing is told");
    const client = connectCoordinator(givenAddresses([address]));
    await assert.rejects(client.status(), refused);
    client.close();
  }
  const insecure = opened(t, null, { insecure: true });
  const server = new Server();
  const port = await insecure.listen(server, { host: "0.0.0.0", port: 0 });
  assert.ok(port.port > 0);
  server.forceShutdown();
  jobsClient("10.0.0.1:7070", { security: insecure }).close();
  assert.deepEqual(insecure.lines, [
    "INSECURE: 0.0.0.0:0 is listened on without TLS: whoever is on the network reads and may change what is said",
    "INSECURE: the coordinator at 10.0.0.1:7070 is called without TLS: whoever is on the network reads and may change what is said",
  ]);
});

test("what is loopback, and what only looks like it", () => {
  for (const host of ["localhost", "LOCALHOST", "127.0.0.1", "127.9.9.9", "::1", "[::1]", "::ffff:127.0.0.1"])
    assert.ok(isLoopback(host), host);
  for (const host of ["127.0.0.1.evil.test", "localhost.evil.test", "0.0.0.0", "::", "128.0.0.1", "127.1", "", "::2"])
    assert.ok(!isLoopback(host), host);
  assert.ok(isLoopbackAddress("[::1]:7070") && isLoopbackAddress("127.0.0.1:1") && !isLoopbackAddress("a:1"));
});

test("the roles in a certificate's names are read strictly", () => {
  const of = (names: string) => identityOf(names);
  assert.deepEqual(of("DNS:a.test, URI:limbeck://alpha/worker, URI:limbeck://alpha/viewer, IP Address:10.0.0.1"), {
    cluster: "alpha",
    roles: ["worker", "viewer"],
  });
  assert.deepEqual(of("URI:limbeck://alpha"), { cluster: "alpha", roles: [] });
  for (const names of [
    ...["", "DNS:limbeck://alpha/worker", "URI:spiffe://alpha/worker", "email:URI:limbeck://alpha/worker"],
    // As Node.js writes a name that holds a comma: it is one name, and none of ours.
    'URI:"https://a.test/, URI:limbeck://alpha/worker"',
    'DNS:"a\\", URI:limbeck://alpha/worker"',
    ...[
      "URI:limbeck://alpha/root",
      "URI:limbeck://alpha/worker/more",
      "URI:limbeck://ALPHA/worker",
      "URI:limbeck://alpha/",
    ],
    ...[
      "URI:limbeck://alpha/worker, URI:limbeck://beta/viewer",
      "URI:limbeck://alpha/worker, URI:limbeck://alpha/root",
    ],
  ])
    assert.equal(of(names), null, names);
});

test("a port that is opened and nothing said holds up nobody", async (t) => {
  const { ca, address } = await scene(t);
  const sockets = Array.from({ length: 50 }, () => connect(Number(address.split(":")[1]), "127.0.0.1"));
  t.after(() => sockets.forEach((socket) => void socket.destroy()));
  const viewer = opened(t, (await leaf(ca, "viewer", { roles: ["viewer"] })).files);
  assert.equal(await listing(viewer, address), "");
});
