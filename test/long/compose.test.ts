/** The compose file as processes of this machine: what `docker compose up` would start, in its order. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { composition } from "../deploy/compose/processes.ts";
import { scratchFolder, start } from "../e2e/limbeck.ts";

const settings = { JOB: "smoke.yaml" };

/** Names and contents. */
const filesIn = (folder: string) => readdirSync(folder).map((name) => [name, readFileSync(join(folder, name), "utf8")]);

test("one command makes certificates and runs a job over mTLS to its end; said again, both are those that there are", async (t) => {
  const folder = await scratchFolder(t);
  const first = composition(t, folder, settings);
  const [job] = await Promise.all(["job", "teacher-1", "student-1", "student-2"].map(first.run));
  const done = await job!.outcome;
  assert.equal(done.code, 0, done.stderr);
  const [, id] = /^(smoke-\w+):/m.exec(done.stdout)!;

  const listed = await first.instead("job", "list", "--all").outcome;
  assert.match(listed.stdout, new RegExp(`${id}.*done`), listed.stderr);
  const plain = await start(["list", "--coordinator", first.at("coordinator-1", 7070)]).outcome;
  assert.match(plain.stderr, /speaks TLS: give --tls-ca, --tls-cert and --tls-key$/m);
  const made = filesIn(join(folder, "tls"));
  await first.down();

  const second = composition(t, folder, settings);
  const again = await (await second.run("job")).outcome;
  assert.equal(again.code, 0, again.stderr);
  assert.match(again.stdout, new RegExp(`^${id}:`, "m"));
  assert.deepEqual(filesIn(join(folder, "tls")), made);
  await second.down();
});
