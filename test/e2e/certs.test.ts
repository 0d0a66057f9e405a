/** `limbeck certs`, as somebody types it. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { certificatesOf } from "../../proto/security/certificates.ts";
import { limbeck, scratchFolder } from "./limbeck.ts";

const contents = (folder: string) =>
  Object.fromEntries(readdirSync(folder).map((name) => [name, readFileSync(join(folder, name), "utf8")]));

test("it makes an authority and a certificate for each role, whose keys only their owner reads", async (t) => {
  const folder = join(await scratchFolder(t), "certs");
  const { code, stdout, stderr } = await limbeck("certs", "--out", folder, "--cluster", "alpha", "--days", "2");
  assert.equal(code, 0, stderr);
  assert.equal(statSync(folder).mode & 0o777, 0o700);
  const found = contents(folder);
  const roles = { coordinator: ["coordinator"], worker: ["worker"], submitter: ["submitter"], viewer: ["viewer"] };
  for (const [leaf, its] of Object.entries({ ...roles, member: [] })) {
    const files = { ca: join(folder, "ca.pem"), cert: join(folder, `${leaf}.pem`), key: join(folder, `${leaf}.key`) };
    const { identity, untilMs } = certificatesOf(files);
    assert.deepEqual(identity, { cluster: "alpha", roles: its }, leaf);
    assert.ok(Math.abs(untilMs - Date.now() - 2 * 86_400_000) < 600_000);
    assert.match(stdout, new RegExp(`${leaf}\\.pem, ${leaf}\\.key: `));
  }
  for (const name of Object.keys(found))
    assert.equal(statSync(join(folder, name)).mode & 0o777, /\.key$/.test(name) ? 0o600 : 0o644, name);
});

test("it overwrites nothing; --keep leaves what is good, and says what is not", async (t) => {
  const folder = join(await scratchFolder(t), "certs");
  const certs = (...args: string[]) => limbeck("certs", "--out", folder, ...args);
  const first = await certs("--keep", "--cluster", "alpha");
  assert.equal(first.code, 0, first.stderr);
  const made = contents(folder);

  const kept = await certs("--keep", "--cluster", "alpha");
  assert.equal(kept.code, 0, kept.stderr);
  assert.match(kept.stdout, /the certificates of the cluster alpha are kept; they are valid until \d{4}-/);
  const refused = async (says: RegExp, ...args: string[]) => {
    const { code, stdout, stderr } = await certs(...args);
    assert.match(stderr, says);
    assert.equal(stderr.trim().split("\n").length, 1, stderr);
    assert.deepEqual([code, stdout], [2, ""]);
  };
  await refused(/^limbeck: \S+ca\.pem is there already, and nothing is overwritten: .*--keep/, "--cluster", "alpha");
  const cannot = /^limbeck: \S+certs cannot be kept: /;
  await refused(
    new RegExp(`${cannot.source}\\S+coordinator\\.pem is of the cluster alpha, not of beta\\. Remove`),
    "--keep",
    "--cluster",
    "beta",
  );
  assert.deepEqual(contents(folder), made);

  writeFileSync(join(folder, "worker.key"), made["viewer.key"]!);
  await refused(
    new RegExp(`${cannot.source}--tls-key: \\S+worker\\.key is not the key of`),
    "--keep",
    "--cluster",
    "alpha",
  );
  rmSync(join(folder, "worker.key"));
  await refused(new RegExp(`${cannot.source}worker\\.key is missing`), "--keep", "--cluster", "alpha");
});
