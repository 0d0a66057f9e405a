/** Jobs are opened beside all else: one whose store is slow, or damaged, is its own trouble. */
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { openFolderStore } from "../../../coordinator/folder/store.ts";
import { LimbeckError } from "../../../core/errors.ts";
import { effectiveJobYaml } from "../../../core/jobfile.ts";
import { testJob } from "../jobs.ts";
import { bounded, cast, scratch } from "../sessions.ts";
import { control, jobFile, service, submit, until, view, withJournals } from "./services.ts";

/** A service whose jobs' journals wait for the gate. */
async function behind(t: TestContext, gate: Promise<void>) {
  const folder = await scratch(t);
  const store = withJournals(openFolderStore(folder), async (name, open) => {
    if (name !== "service") await gate;
    return await open();
  });
  const leader = await service("one", folder, store);
  t.after(() => leader.close("the test is over"));
  await until(async () => (await view(leader)).standing === "leading");
  const job = effectiveJobYaml(testJob({ workers: { students: 2, teachers: 1 } }), "/");
  const id = await submit(leader, { job, name: "first" });
  const workers = cast(t, leader);
  workers.catch(() => {}); // Those that wait at the end are cut off.
  const shown = async () => (await view(leader, `?job=${id}`)).asked!;
  return { leader, id, workers, shown };
}

test("while the store of one job is slow others are submitted, listed and steered, and it, too", bounded, async (t) => {
  let open = () => {};
  const gate = new Promise<void>((resolve) => {
    open = resolve;
  });
  const { leader, id, workers, shown } = await behind(t, gate);
  await until(async () => (await shown()).state === "running");
  const other = await submit(leader, { job: jobFile, name: "other" });
  await control(leader, other, "cancel");
  assert.match((await shown()).why, /its records are being opened/);
  await control(leader, id, "pause");
  await until(async () => (await shown()).state === "pausing");
  open();
  await until(async () => (await shown()).state === "paused");
  const whys = await workers;
  assert.deepEqual(new Set(whys), new Set(["it was paused: a test asks"]), "they are told to join again");
});

test("one that cannot be opened fails, and the workers it was given go on", bounded, async (t) => {
  const damaged = Promise.reject(new LimbeckError("corrupt", "message 7 is no record of it"));
  damaged.catch(() => {});
  const { workers, shown } = await behind(t, damaged);
  await until(async () => (await shown()).state === "failed");
  assert.match((await shown()).why, /^it could not begin: message 7 is no record of it$/);
  for (const why of await workers) assert.match(why, /is over/);
});
