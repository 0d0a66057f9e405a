/** A folder of one job and that of a service are not mixed. */
import assert from "node:assert/strict";
import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { checkOwner } from "../../cli/statefolder.ts";
import { scratchFolder, start } from "../e2e/limbeck.ts";

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
  writeFileSync(join(folder, "job.yaml"), "");
  const { code, stderr } = await start(["coordinator", "--state", folder, ...anyPorts], {}, { deadlineMs: 30_000 })
    .outcome;
  assert.equal(code, 2, stderr);
  const says = `limbeck: the folder ${folder} has job.yaml, so it is one job's: give the job file, too, to go on with that, or choose another --state\n`;
  assert.equal(stderr, says);
  assert.deepEqual(readdirSync(folder), ["job.yaml"]);
});

test("each goes on in its own, begins in an empty one, and is let be where both have been", async (t) => {
  const folder = await scratchFolder(t);
  await checkOwner(folder, "job");
  await checkOwner(folder, "service");
  mkdirSync(join(folder, "jobs"));
  await checkOwner(folder, "service");
  await assert.rejects(checkOwner(folder, "job"), { code: "usage" });
  writeFileSync(join(folder, "journal.jsonl"), "");
  await checkOwner(folder, "job");
  await checkOwner(folder, "service");
});
