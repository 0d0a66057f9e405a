/** A teacher on a server that speaks TLS and wants a token, over real gRPC. */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { Network } from "../../../worker/learn/network.ts";
import { scratchFolder } from "../learn/samples.ts";
import { assertClose, count, examples, model, open, reference, refused, shape } from "./asking.ts";
import { makeCertificates, serverCredentials } from "./certificates.ts";
import { type KserveSettings, serveKserve } from "./kserve.ts";

const jobFolder = scratchFolder();
makeCertificates(jobFolder);
const trusting = { ca: "ca.pem" };

async function serve(t: TestContext, name: string | null, settings: KserveSettings & { clients?: "known" } = {}) {
  const { clients, ...rest } = settings;
  const credentials = name === null ? {} : { credentials: serverCredentials(jobFolder, name, clients) };
  const server = await serveKserve(model, { shape: [-1, ...shape], ...credentials, ...rest });
  t.after(server.close);
  return { address: server.address, model: "digits", timeoutSeconds: 3 };
}

async function logitsOf(remote: object): Promise<Float32Array> {
  const found = await open({ remote }, { jobFolder });
  assert.ok(!(found instanceof Network));
  try {
    return await found.logits(examples.nhwc, count);
  } finally {
    await found.dispose();
  }
}

test("a server is asked over TLS, by its authority, another name, and with a certificate of ours", async (t) => {
  assertClose(await logitsOf({ ...(await serve(t, "server")), tls: trusting }), reference.nhwc);
  const elsewhere = await serve(t, "elsewhere");
  assertClose(await logitsOf({ ...elsewhere, tls: { ...trusting, serverName: "digits.test" } }), reference.nhwc);
  const shy = await serve(t, "server", { clients: "known" });
  const tls = { ...trusting, cert: "client.pem", key: "client.key" };
  assertClose(await logitsOf({ ...shy, tls }), reference.nhwc);
});

test("where TLS comes to nothing it is said at once, and what would be right", async (t) => {
  const remote = await serve(t, "server");
  const patient = { ...remote, timeoutSeconds: 600 };
  const wrong = (spec: object, message: RegExp) => refused({ remote: spec }, message, { jobFolder });
  await wrong({ ...patient, tls: {} }, /^teacher\.remote\.tls: the certificate of .* is refused: .*: ca must hold the/);
  await wrong({ ...patient, tls: { ca: "other.pem" } }, /^teacher\.remote\.tls: the certificate of .* is refused: /);
  await wrong(patient, /^teacher\.remote\.tls: 127\.0\.0\.1:\d+ speaks TLS: give tls;/);
  const elsewhere = { ...(await serve(t, "elsewhere")), timeoutSeconds: 600, tls: trusting };
  await wrong(
    elsewhere,
    /^teacher\.remote\.tls: the certificate of .* is for DNS:digits\.test, not for 127\.0\.0\.1: serverName/,
  );
  const plain = { ...(await serve(t, null)), timeoutSeconds: 600, tls: trusting };
  await wrong(plain, /^teacher\.remote\.tls: 127\.0\.0\.1:\d+ does not speak TLS: .*: leave tls out/);
  const shy = { ...(await serve(t, "server", { clients: "known" })), timeoutSeconds: 600, tls: trusting };
  await wrong(shy, /^teacher\.remote\.tls: 127\.0\.0\.1:\d+ breaks the handshake off: .*: it may want cert and key/);
});

test("a file that is missing, unreadable or another is named with its field", async (t) => {
  const remote = await serve(t, "server");
  const wrong = (tls: object, message: RegExp) => refused({ remote: { ...remote, tls } }, message, { jobFolder });
  await wrong({ ca: "lost.pem" }, /^teacher\.remote\.tls\.ca: cannot be read: ENOENT: .*lost\.pem/);
  await wrong({ ca: "." }, /^teacher\.remote\.tls\.ca: cannot be read: EISDIR/);
  await wrong({ ca: "ca.key" }, /^teacher\.remote\.tls\.ca: .*ca\.key holds no certificate in PEM: /);
  const cert = "client.pem";
  await wrong(
    { cert, key: "client.pem" },
    /^teacher\.remote\.tls\.key: .*client\.pem holds no private key that can be/,
  );
  await wrong(
    { cert, key: "server.key" },
    /^teacher\.remote\.tls\.key: server\.key is not the key of the certificate in/,
  );
});

test("a token is read for every request from where it is, and is never shown", async (t) => {
  let known = "Bearer first-secret";
  const remote = { ...(await serve(t, "server", { authorization: () => known })), tls: trusting };
  const token = join(jobFolder, "token");
  const header = { name: "authorization", prefix: "Bearer ", file: "token" };
  writeFileSync(token, "first-secret\n");
  const found = await open({ remote: { ...remote, headers: [header] } }, { jobFolder });
  assert.ok(!(found instanceof Network));
  t.after(() => found.dispose());
  assertClose(await found.logits(examples.nhwc, count), reference.nhwc);
  known = "Bearer second-secret";
  await assert.rejects(found.logits(examples.nhwc, count), ({ message }: Error) => {
    assert.match(message, /^teacher\.remote: digits at .* refuses: UNAUTHENTICATED: who is "Bearer \*\*\*"\?$/);
    return true;
  });
  writeFileSync(token, "second-secret");
  assertClose(await found.logits(examples.nhwc, count), reference.nhwc);

  process.env["LIMBECK_TEST_TOKEN"] = "Bearer second-secret";
  t.after(() => delete process.env["LIMBECK_TEST_TOKEN"]);
  const fromEnv = [{ name: "authorization", env: "LIMBECK_TEST_TOKEN" }];
  assertClose(await logitsOf({ ...remote, headers: fromEnv }), reference.nhwc);
});

test("a token that is not there, or cannot be sent, is refused by where it should be", async (t) => {
  const remote = { ...(await serve(t, "server")), tls: trusting };
  const wrong = (header: object, message: RegExp) =>
    refused({ remote: { ...remote, headers: [{ name: "x-token", ...header }] } }, message, { jobFolder });
  await wrong({ file: "lost" }, /^teacher\.remote\.headers\.0\.file: cannot be read: ENOENT/);
  await wrong({ env: "LIMBECK_NO_TOKEN" }, /^teacher\.remote\.headers\.0\.env: LIMBECK_NO_TOKEN is not set where/);
  writeFileSync(join(jobFolder, "empty"), "\n");
  await wrong({ file: "empty" }, /^teacher\.remote\.headers\.0\.file: .*empty is empty$/);
  writeFileSync(join(jobFolder, "lines"), "one-secret\nanother-secret\n");
  await wrong({ file: "lines" }, /^teacher\.remote\.headers\.0\.file: .*lines holds what a header cannot: [^-]*$/);
});
