/** With which codes coordinators of one job, and workers, end: whoever started them goes by it (a Kubernetes Job). */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { freeAddress } from "../freeport.ts";
import { limbeck, scratchFolder } from "./limbeck.ts";
import { codes, coordinator, workers } from "./onejob.ts";

const bounded = { timeout: 180_000 };

test("a job that failed, and one that cannot be read, have codes of their own", bounded, async (t) => {
  const folder = await scratchFolder(t);
  const address = await freeAddress();
  const failing = await coordinator(t, join(folder, "failed"), address, "--set=dataset.path=/nowhere");
  workers(t, address);
  assert.equal((await failing.outcome).code, 3, (await failing.outcome).stderr);
  writeFileSync(join(folder, "job.yaml"), "name: [");
  const unreadable = await limbeck("coordinator", join(folder, "job.yaml"), `--state=${folder}`, ...codes);
  assert.equal(unreadable.code, 2, unreadable.stderr);
});

test("a worker that finds no coordinator says so with a code, also one that is supervised", bounded, async () => {
  const alone = ["--coordinator=127.0.0.1:1", "--patience=1s", "--alone-code=3"];
  const ends = await Promise.all([limbeck("worker", ...alone), limbeck("worker", ...alone, "--devices=cpu")]);
  for (const { code, stderr } of ends) assert.equal(code, 3, stderr);
});

test("a coordinator that another has succeeded does not say that the job has failed", bounded, async (t) => {
  const state = join(await scratchFolder(t), "state");
  const running = await coordinator(t, state, await freeAddress());
  await running.logged("listening");
  writeFileSync(join(state, "journal.lock"), "elsewhere 1");
  const { code, stderr } = await running.outcome;
  assert.equal(code, 1, stderr);
  assert.match(stderr, /the journal in .* is no longer this process's: .* is another process's now/);
});

test("a code that says something else already is not taken for that of a worker that is alone", bounded, async () => {
  for (const code of ["1", "75"]) {
    const refused = await limbeck("worker", "--coordinator=127.0.0.1:1", `--alone-code=${code}`, "--devices=cpu");
    assert.equal(refused.code, 2, refused.stderr);
    assert.match(refused.stderr, new RegExp(`^limbeck: --alone-code ${code} is the code of .*: choose another`));
  }
});
