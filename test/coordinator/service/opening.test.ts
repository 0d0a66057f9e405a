/** Jobs are opened beside all else: one whose records are slow to come, or damaged, is its own trouble; a store that is full is not. */
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { openFolderStore } from "../../../coordinator/folder/store.ts";
import type { Store } from "../../../coordinator/store.ts";
import { LimbeckError } from "../../../core/errors.ts";
import { effectiveJobYaml } from "../../../core/jobfile.ts";
import type { FromWorker } from "../../../proto/gen/limbeck/v1/FromWorker.ts";
import { Actor } from "../actor.ts";
import { testJob } from "../jobs.ts";
import { bounded, cast, play, scratch } from "../sessions.ts";
import { control, isLeading, jobFile, service, submit, until, view, withJournals } from "./services.ts";

/** A store whose jobs' journals wait for the gate. */
function gated(folder: string, gate: Promise<void>): Store {
  return withJournals(openFolderStore(folder), async (name, open) => {
    if (name !== "service") await gate;
    return await open();
  });
}

/** A gate, and what opens it. */
function closed(): readonly [Promise<void>, () => void] {
  let open = () => {};
  const gate = new Promise<void>((resolve) => {
    open = resolve;
  });
  return [gate, () => open()];
}

/** A service on such a store, and a job that has its workers. */
async function behind(t: TestContext, gate: Promise<void>) {
  const folder = await scratch(t);
  const leader = await service("one", folder, gated(folder, gate));
  t.after(() => leader.close("the test is over"));
  await until(() => isLeading(leader));
  const job = effectiveJobYaml(testJob({ workers: { students: 2, teachers: 1 } }), "/");
  const id = await submit(leader, { job, name: "first" });
  const workers = cast(t, leader);
  workers.catch(() => {}); // Those that wait at the end are cut off.
  const shown = async () => (await view(leader, `?job=${id}`)).asked!;
  return { folder, leader, id, workers, shown };
}

test("while the store of one job is slow others are submitted, listed and steered, and it, too", bounded, async (t) => {
  const [gate, open] = closed();
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
  for (const why of await workers) assert.match(why, /does not run any more/);
});

test(
  "one that the store takes nothing of ends the coordinator, and is not over: the next one goes on with it",
  bounded,
  async (t) => {
    const full = Promise.reject(new LimbeckError("unavailable", "the store is full"));
    full.catch(() => {});
    const folder = await scratch(t);
    const leader = await service("one", folder, gated(folder, full));
    t.after(() => leader.close("the test is over").catch(() => {})); // It has ended with that.
    await until(() => isLeading(leader));
    const job = effectiveJobYaml(testJob({ workers: { students: 2, teachers: 1 } }), "/");
    const id = await submit(leader, { job, name: "first" });
    cast(t, leader).catch(() => {}); // Who works when it ends is cut off.
    await assert.rejects(leader.finished, { code: "unavailable", message: "the store is full" });

    const next = await service("two", folder, openFolderStore(folder));
    t.after(() => next.close("the test is over"));
    await until(() => isLeading(next));
    assert.equal((await view(next, `?job=${id}`)).asked!.state, "running");
  },
);

test(
  "a worker that comes back to a job whose loop ends before it hears of it is told to join again",
  bounded,
  async (t) => {
    const first = await behind(t, new Promise(() => {}));
    await until(async () => (await first.shown()).state === "running");
    await control(first.leader, first.id, "pause");
    await first.leader.close("another shall lead");

    // The next leader opens the job, and has it stop: before it is open this worker comes.
    const [gate, open] = closed();
    const leader = await service("two", first.folder, gated(first.folder, gate));
    t.after(() => leader.close("the test is over"));
    const shown = async () => (await view(leader, `?job=${first.id}`)).asked;
    await until(async () => (await shown())?.state === "pausing");
    const told = play(t, leader.address, new Returning(first.id));
    told.catch(() => {});
    await until(async () => (await view(leader)).workers.lines.some(({ job }) => job === first.id));
    open();
    await until(async () => (await shown())!.state === "paused");
    assert.match(await told, /does not run any more/);
  },
);

/** It works for that job yet. */
class Returning extends Actor {
  readonly #job: string;

  constructor(job: string) {
    super("student-1", "student");
    this.#job = job;
  }

  override hello(build: string): FromWorker {
    const { hello, ...rest } = super.hello(build);
    return { ...rest, hello: { ...hello, job: this.#job } };
  }
}
