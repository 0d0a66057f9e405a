/** Tokens: what is taken, and what is not. */
import assert from "node:assert/strict";
import { createPrivateKey, createPublicKey, generateKeyPairSync } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { tokenKeyFiles } from "../../cli/token.ts";
import { LimbeckError } from "../../core/errors.ts";
import type { Role } from "../../core/security/identity.ts";
import type { Security } from "../../proto/security/security.ts";
import { createToken, readRevokedIds, readToken, readTokenPublicKeys } from "../../proto/security/token.ts";
import { jobsClient, jobsService } from "../../proto/wire.ts";
import { limbeck, scratchFolder } from "../e2e/limbeck.ts";
import { authority, cluster, leaf, opened, serving } from "./cluster.ts";

const { secret, shared } = tokenKeyFiles();
const [key, pub] = [createPrivateKey(secret), createPublicKey(shared)];
const minuteMs = 60_000;
const nowMs = 1_700_000_000_000;

function refusal(text: string, atMs = nowMs): string {
  try {
    readToken(text, [pub], atMs);
    return "";
  } catch (thrown) {
    assert.ok(thrown instanceof LimbeckError && thrown.code === "not_allowed");
    assert.ok(text.length < 20 || !thrown.message.includes(text), "a token is repeated nowhere");
    return thrown.message;
  }
}

test("a token says what it was made for, until it expires and a minute more", () => {
  const { text, token } = createToken({ cluster, role: "worker", untilMs: nowMs }, key);
  assert.deepEqual(readToken(text, [pub], nowMs - 1), token);
  assert.equal(refusal(text, nowMs + minuteMs), "");
  assert.match(
    refusal(text, nowMs + minuteMs + 1_000),
    /^the token [0-9a-f]{18} expired at 2023-11-14T22:13:20Z: a new one is needed$/,
  );
});

test("what is changed, signed by another, or no token at all is refused", () => {
  const claims = { cluster, role: "viewer", untilMs: nowMs + minuteMs } as const;
  const { text } = createToken(claims, key);
  const [version, , signature] = text.split(".");
  const raised = Buffer.from(JSON.stringify({ id: "a", cluster, role: "submitter", until: nowMs })).toString(
    "base64url",
  );
  const unsigned = /is not signed with the key of this cluster/;
  assert.match(refusal(`${version}.${raised}.${signature}`), unsigned);
  assert.match(refusal(text.slice(0, -4)), unsigned);
  assert.match(refusal(`${version}.${raised}.`), unsigned);
  assert.match(refusal(createToken(claims, createPrivateKey(tokenKeyFiles().secret)).text), unsigned);
  for (const none of ["", "x", "a.b.c", `${text}.x`, "limbeck2.a.b", "x".repeat(100_000)])
    assert.match(refusal(none), /is none of Limbeck's/, none.slice(0, 20));
  for (let at = 0; at < text.length; at += 7) {
    const other = text[at] === "A" ? "B" : "A";
    assert.notEqual(refusal(text.slice(0, at) + other + text.slice(at + 1)), "", `character ${at}`);
  }
});

test("a worker's token lasts a week at the most, whoever made it", async () => {
  const dayMs = 86_400_000;
  const { text } = createToken({ cluster, role: "worker", untilMs: nowMs + 8 * dayMs }, key);
  assert.match(
    refusal(text),
    /^the token \w+ is good until 2023-11-22T22:13:20Z: a worker's lasts a week at the most$/,
  );
  assert.equal(refusal(text, nowMs + 1.1 * dayMs), "");
  assert.equal(refusal(createToken({ cluster, role: "worker", untilMs: nowMs + 7 * dayMs }, key).text), "");
  assert.equal(refusal(createToken({ cluster, role: "viewer", untilMs: nowMs + 300 * dayMs }, key).text), "");
  const { code, stderr } = await limbeck("token", "create", "--role", "worker", "--for", "8d", "--key", "x.key");
  assert.equal(code, 2, stderr);
});

test("keys: the public one checks, several in turn; the private one is not taken for it", () => {
  const other = tokenKeyFiles().shared;
  const { text } = createToken({ cluster, role: "viewer", untilMs: nowMs }, key);
  assert.equal(readToken(text, readTokenPublicKeys(`${other}${shared}`, "f"), nowMs).role, "viewer");
  assert.throws(() => readTokenPublicKeys(secret, "f"), /--token-key: f holds the private key/);
  assert.throws(() => readTokenPublicKeys("", "f"), /--token-key: f holds no public key of tokens/);
  const rsa = generateKeyPairSync("rsa", { modulusLength: 1024 }).publicKey.export({ type: "spki", format: "pem" });
  assert.throws(() => readTokenPublicKeys(String(rsa), "f"), /holds no public key of tokens/);
  assert.deepEqual([...readRevokedIds("# lost\n a1 \n\nb2 # laptop\n")], ["a1", "b2"]);
});

interface Scene {
  readonly address: string;
  /** One without a role, with a token. */
  holder(
    role: Role,
    told?: { readonly cluster?: string; readonly untilMs?: number },
  ): { readonly security: Security; readonly id: string };
  revoke(id: string): void;
  readonly server: ReturnType<typeof opened>;
}

async function scene(t: TestContext): Promise<Scene> {
  const folder = await scratchFolder(t);
  const file = (name: string, text: string) => {
    const path = join(folder, name);
    writeFileSync(path, text);
    return path;
  };
  const ca = await authority(folder);
  const revokedTokens = file("revoked", "");
  const { files } = await leaf(ca, "server", { roles: ["coordinator"] });
  const server = opened(t, files, { tokenKey: file("token.pub", shared), revokedTokens });
  const member = (await leaf(ca, "member", { roles: [] })).files;
  return {
    server,
    address: await serving(t, server, [jobsService]),
    holder(role, { cluster: its = cluster, untilMs = Date.now() + minuteMs } = {}) {
      const { text, token } = createToken({ cluster: its, role, untilMs }, key);
      return { security: opened(t, member, { tokenFile: file(token.id, `${text}\n`) }), id: token.id };
    },
    revoke: (id) => void file("revoked", `${id} # by a test\n`),
  };
}

function asked(security: Security, address: string, method: "list" | "submit"): Promise<string> {
  const client = jobsClient(address, { security });
  return new Promise((resolve) => {
    const answered = (error: { details: string } | null) => {
      client.close();
      resolve(error?.details ?? "");
    };
    if (method === "list") client.list({}, { deadline: Date.now() + 5_000 }, answered);
    else client.submit({}, { deadline: Date.now() + 5_000 }, answered);
  });
}

test("a token gives its role to who has none, and no more", async (t) => {
  const { address, holder } = await scene(t);
  const viewer = holder("viewer");
  assert.equal(await asked(viewer.security, address, "list"), "");
  assert.equal(
    await asked(viewer.security, address, "submit"),
    `Jobs.Submit takes the role submitter, and the certificate has no role; the token ${viewer.id} has the role viewer`,
  );
  assert.equal(await asked(holder("submitter").security, address, "submit"), "");
  const elsewhere = holder("submitter", { cluster: "beta" });
  assert.equal(
    await asked(elsewhere.security, address, "list"),
    `the token ${elsewhere.id} is of the cluster beta, this is alpha`,
  );
  const old = holder("viewer", { untilMs: Date.now() - 2 * minuteMs });
  assert.match(await asked(old.security, address, "list"), /^the token \w+ expired at/);
});

test("a token is revoked by its id, without a restart", async (t) => {
  const { address, holder, revoke, server } = await scene(t);
  const { security, id } = holder("submitter");
  assert.equal(await asked(security, address, "list"), "");
  revoke(id);
  await server.until(/revoked: the change is used from now on$/);
  assert.equal(await asked(security, address, "list"), `the token ${id} has been revoked`);
});

test("a token goes over TLS, or to this machine, and nowhere else", async (t) => {
  const folder = await scratchFolder(t);
  const tokenFile = join(folder, "token");
  writeFileSync(tokenFile, createToken({ cluster, role: "viewer", untilMs: Date.now() + minuteMs }, key).text);
  const insecure = opened(t, null, { tokenFile, insecure: true });
  assert.equal(insecure.senders("127.0.0.1:7070").length, 1);
  assert.equal(insecure.senders("10.0.0.1:7070").length, 0);
  const { files } = await leaf(await authority(folder), "member", { roles: [] });
  assert.equal(opened(t, files, { tokenFile }).senders("10.0.0.1:7070").length, 1);
  writeFileSync(tokenFile, "-----BEGIN PRIVATE KEY-----\nabc");
  assert.throws(
    () => opened(t, files, { tokenFile }),
    /^LimbeckError: --token-file: .* holds no token: limbeck token create makes one$/,
  );
});
