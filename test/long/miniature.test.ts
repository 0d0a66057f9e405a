/** A cluster in miniature: processes that are told what the rendered chart says. */
import assert from "node:assert/strict";
import { copyFileSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { type TestContext, test } from "node:test";
import { program } from "../../cli/program.ts";
import type { ProgressEvent } from "../../core/events.ts";
import { packagePath } from "../../proto/package.ts";
import { type Container, type Kept, miniature } from "../deploy/chart/miniature.ts";
import { render } from "../deploy/chart/render.ts";
import { limbeck, scratchFolder } from "../e2e/limbeck.ts";
import { findTool } from "../kubernetestools.ts";

const smallNode = packagePath("deploy/helm/examples/one-node.yaml");
const values = ["coordinator.replicas=2", "teachers.replicas=2", "students.replicas=3", "students.kind=job"];

/** By Secret, of whom `limbeck certs` makes a certificate. */
const holders = { "tls-coordinator": "coordinator", "tls-worker": "worker", "tls-client": "submitter" };

async function madeCertificates(t: TestContext): Promise<Record<string, string>> {
  const folder = await scratchFolder(t);
  const made = join(folder, "made");
  const { code, stderr } = await limbeck("certs", "--out", made, "--cluster", "limbeck");
  assert.equal(code, 0, stderr);
  return Object.fromEntries(
    Object.entries(holders).map(([secret, holder]) => {
      const its = join(folder, secret);
      mkdirSync(its);
      copyFileSync(join(made, "ca.pem"), join(its, "ca.crt"));
      copyFileSync(join(made, `${holder}.pem`), join(its, "tls.crt"));
      copyFileSync(join(made, `${holder}.key`), join(its, "tls.key"));
      return [secret, its];
    }),
  );
}

async function* events({ process }: Container): AsyncGenerator<ProgressEvent> {
  for await (const line of createInterface(process.stdout!)) if (line.startsWith("{")) yield JSON.parse(line);
}

async function leaderOf(coordinators: readonly Kept[]): Promise<Kept> {
  for (;;) {
    for (const each of coordinators) {
      const said = await fetch(`http://${each.current().address}:7071/readyz`).then((answer) => answer.text());
      if (said === "leads\n") return each;
    }
  }
}

test("the smoke job passes; a drained student hands over; a leader that is killed is replaced", async (t) => {
  const helm = findTool("helm");
  if ("why" in helm) return t.skip(helm.why);
  const hasTls = program().commands.some((command) => command.name() === "certs");
  const tls = Object.keys(holders).map((secret) => `tls.existing.${secret.slice("tls-".length)}=${secret}`);
  const set = [...values, ...(hasTls ? ["tls.mode=existing", ...tls] : [])];
  const secrets = hasTls ? await madeCertificates(t) : {};
  const cluster = await miniature(t, render(helm.path, { values: [smallNode], set }), secrets);
  const coordinators = [cluster.keep("coordinator"), cluster.keep("coordinator")];
  const students = ["students", "students", "students"].map(cluster.keep);
  const teachers = ["teachers", "teachers"].map(cluster.keep);
  await Promise.all([...coordinators, ...students, ...teachers].map((each) => each.current().ready()));

  const smoke = await cluster.run("client").outcome;
  assert.equal(smoke.code, 0, smoke.stderr);

  const long = cluster.run("client", "--set", "distil.epochs=20", "--set", "baseline=false");
  const kinds: string[] = [];
  let inDeal = "";
  let drained: Kept | undefined;
  let killed: Kept | undefined;
  for await (const event of events(long)) {
    kinds.push(event.kind);
    if (event.kind === "term-opened") inDeal = event.deal[0]!.worker;
    if (event.kind === "stepped" && event.stage === "distil" && !drained) {
      drained = students.find(({ current }) => current().name === inDeal)!;
      drained.current().process.kill("SIGTERM");
    }
    if (event.kind === "worker-left" && !killed) {
      killed = await leaderOf(coordinators);
      killed.current().process.kill("SIGKILL");
    }
  }
  assert.equal((await long.outcome).code, 0, (await long.outcome).stderr);
  assert.ok(drained!.codes.includes(143), "its Job starts another");
  assert.ok(killed, "the student said that it left");
  assert.ok(!kinds.includes("worker-lost"));
});
