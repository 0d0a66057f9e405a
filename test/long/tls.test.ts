/** A job by mTLS gives the bits that it gives without, also where certificates are renewed while it runs. */
import assert from "node:assert/strict";
import { copyFileSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { connect } from "node:tls";
import type { Report } from "../../core/report.ts";
import { finishedRun, scratchFolder, start } from "../e2e/limbeck.ts";
import { Said } from "../e2e/said.ts";
import { freeAddress } from "../freeport.ts";
import { type Authority, authority, leaf } from "../security/cluster.ts";

const job = ["examples/smoke.yaml", "--set", "distil.epochs=40"];
const roles = ["coordinator", "worker"] as const;

function optionsOf(ca: Authority, role: string): string[] {
  return [
    "--tls-ca",
    ca.file,
    "--tls-cert",
    join(ca.folder, `${role}.pem`),
    "--tls-key",
    join(ca.folder, `${role}.key`),
  ];
}

/** What a port shows as its own. */
function serialOf(address: string, ca: Authority): Promise<string> {
  const [host, port] = address.split(":");
  const read = (name: string) => readFileSync(join(ca.folder, name));
  const own = { ca: read("ca.pem"), cert: read("worker.pem"), key: read("worker.key") };
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port: Number(port), checkServerIdentity: () => undefined, ...own }, () => {
      resolve(socket.getPeerCertificate().serialNumber);
      socket.destroy();
    });
    socket.on("error", reject);
  });
}

async function securedRun(t: TestContext): Promise<Report> {
  const ca = await authority(await scratchFolder(t));
  for (const role of roles) await leaf(ca, role, { roles: [role] });
  const state = join(ca.folder, "state");
  const [at, own] = [await freeAddress(), await freeAddress()];
  const begin = (args: string[]) => {
    const running = start([...args, "-o", "json"]);
    t.after(() => void running.process.kill("SIGKILL"));
    return { running, said: new Said(running) };
  };
  const cache = ["--set", `softTargets.cache.dir=${join(ca.folder, "cache")}`];
  const ports = ["--listen", at, "--http", "127.0.0.1:0"];
  const coordinator = begin([
    "coordinator",
    ...job,
    ...cache,
    "--state",
    state,
    ...ports,
    ...optionsOf(ca, "coordinator"),
  ]);
  await coordinator.said.until(/"event":"listening"/);
  const worker = (name: string, ...more: string[]) =>
    begin([
      "worker",
      "--coordinator",
      at,
      "--name",
      name,
      "--role",
      name.split("-")[0]!,
      ...optionsOf(ca, "worker"),
      ...more,
    ]);
  const first = [worker("teacher-1"), worker("student-1", "--listen", own), worker("student-2")];
  await coordinator.said.until(/"event":"term-begun"/);

  const listens = { [at]: coordinator, [own]: first[1]! };
  const before = await Promise.all(Object.keys(listens).map((address) => serialOf(address, ca)));
  for (const role of roles) {
    await leaf(ca, `${role}-renewed`, { roles: [role] });
    for (const kind of ["pem", "key"])
      copyFileSync(join(ca.folder, `${role}-renewed.${kind}`), join(ca.folder, `${role}.${kind}`));
  }
  await Promise.all([coordinator, ...first].map(({ said }) => said.until(/the change is used from now on/)));
  const after = await Promise.all(Object.keys(listens).map((address) => serialOf(address, ca)));
  for (const [index, serial] of after.entries()) assert.notEqual(serial, before[index]);
  // Sessions that begin now: with the coordinator, and from peer to peer.
  const late = worker("student-3");
  const { code, stderr } = await coordinator.running.outcome;
  assert.equal(code, 0, stderr);
  for (const { running } of [...first, late]) assert.equal((await running.outcome).code, 0);
  assert.match(coordinator.said.text, /student-3/);
  return JSON.parse(readFileSync(join(state, "report.json"), "utf8"));
}

test("the same weights with mTLS as without, and a renewal under way", { timeout: 300_000 }, async (t) => {
  const plain = await finishedRun(t, ...(job as [string]));
  const report = await securedRun(t);
  for (const model of ["teacher", "student", "baseline"] as const)
    assert.equal(report[model]!.weightsSha256, plain.report[model]!.weightsSha256, model);
});
