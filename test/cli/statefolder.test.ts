/** A folder of one job and that of a service are not mixed. */
import assert from "node:assert/strict";
import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { checkOwner } from "../../cli/statefolder.ts";
import { openNatsStore } from "../../coordinator/nats/store.ts";
import { effectiveJobYaml } from "../../core/jobfile.ts";
import { connectNats } from "../../proto/nats.ts";
import { testJob } from "../coordinator/jobs.ts";
import { isLeading, service, submit, until } from "../coordinator/service/services.ts";
import { cast } from "../coordinator/sessions.ts";
import { scratchFolder, start } from "../e2e/limbeck.ts";
import { startNats } from "../natsserver.ts";

const bounded = { timeout: 60_000 };
const anyPorts = ["--listen", "127.0.0.1:0", "--http", "127.0.0.1:0"];

test("a coordinator with a job file writes nothing into a service's folder", bounded, async (t) => {
  const folder = await scratchFolder(t);
  writeFileSync(join(folder, "leader.json"), "{}");
  const args = ["coordinator", "examples/smoke.yaml", "--state", folder, ...anyPorts];
  const { code, stderr } = await start(args, {}, { deadlineMs: 30_000 }).outcome;
  assert.equal(code, 2, stderr);
  const says = `limbeck: the folder ${folder} has leader.json, so it is a service's: give the job to that with \`limbeck submit\`, or choose another --state\n`;
  assert.equal(stderr, says);
  assert.deepEqual(readdirSync(folder), ["leader.json"]);
});

test("a service writes nothing into a job's folder", bounded, async (t) => {
  const folder = await scratchFolder(t);
  writeFileSync(join(folder, "journal.jsonl"), "");
  const { code, stderr } = await start(["coordinator", "--state", folder, ...anyPorts], {}, { deadlineMs: 30_000 })
    .outcome;
  assert.equal(code, 2, stderr);
  const says = `limbeck: the folder ${folder} has journal.jsonl, so it is one job's: give the job file, too, to go on with that, or choose another --state\n`;
  assert.equal(stderr, says);
  assert.deepEqual(readdirSync(folder), ["journal.jsonl"]);
});

test("each goes on in its own, begins in an empty one, and is let be where both have been", async (t) => {
  const folder = await scratchFolder(t);
  await checkOwner(folder, "job");
  await checkOwner(folder, "service");
  writeFileSync(join(folder, "leader.json"), "{}");
  await checkOwner(folder, "service");
  await assert.rejects(checkOwner(folder, "job"), { code: "usage" });
  writeFileSync(join(folder, "journal.jsonl"), "");
  await checkOwner(folder, "job");
  await checkOwner(folder, "service");
});

test("somebody's job file, and runs of their own in jobs/, make it nobody's", async (t) => {
  const [ofFile, ofRuns] = [await scratchFolder(t), await scratchFolder(t)];
  writeFileSync(join(ofFile, "job.yaml"), "");
  await checkOwner(ofFile, "service");
  const run = join(ofRuns, "jobs", "mine");
  mkdirSync(run, { recursive: true });
  await checkOwner(ofRuns, "job");
  for (const name of ["events.jsonl", "journal.jsonl"]) writeFileSync(join(run, name), "");
  await checkOwner(ofRuns, "job");
});

test("a service whose journals are in NATS is known by its first job", bounded, async (t) => {
  const [server, folder] = [await startNats(t), await scratchFolder(t)];
  const nats = await connectNats({ urls: [server.url], name: "statefolder" });
  const leader = await service("one", folder, openNatsStore({ nats, cluster: "statefolder", ttlMs: 1_000 }));
  t.after(() => leader.close("the test is over"));
  await until(() => isLeading(leader));
  const job = effectiveJobYaml(testJob({ workers: { students: 2, teachers: 1 } }), "/");
  const id = await submit(leader, { job });
  cast(t, leader).catch(() => {}); // Who works when it closes is cut off.
  const refused = { code: "usage", message: new RegExp(`has jobs/${id}, so it is a service's`) };
  await until(() =>
    checkOwner(folder, "job").then(
      () => false,
      () => true,
    ),
  );
  await assert.rejects(checkOwner(folder, "job"), refused);
  await checkOwner(folder, "service");
});
