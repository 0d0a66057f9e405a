/** A job that is deleted, and what of it goes: its files here and in the depot, and its place in the list. */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { pathToFileURL } from "node:url";
import { openFolderStore } from "../../../coordinator/folder/store.ts";
import type { Service } from "../../../coordinator/service/main.ts";
import { effectiveJobYaml } from "../../../core/jobfile.ts";
import { type Depot, within } from "../../../proto/depot/depot.ts";
import { openDepot } from "../../../proto/depot/open.ts";
import { connectJobs } from "../../../proto/jobs.ts";
import { lastingJobId } from "../../../proto/jobsha256.ts";
import { givenAddresses } from "../../../proto/whereabouts.ts";
import { s3Server } from "../../s3server.ts";
import { gate } from "../gate.ts";
import { testJob } from "../jobs.ts";
import { bounded, cast, scratch } from "../sessions.ts";
import { isLeading, service, submit, until, view } from "./services.ts";

const job = testJob({ workers: { students: 2, teachers: 1 }, epochs: 4 });
/** The same, for what its result depends on. */
const withOthers = testJob({ workers: { students: 4, teachers: 1 }, epochs: 4 });
const yaml = effectiveJobYaml(job, "/");
const text = new TextEncoder();

interface Setting {
  readonly folder: string;
  readonly leader: Service;
  readonly jobs: ReturnType<typeof connectJobs>;
  /** The job's part of it. */
  readonly depot: Depot;
  /** Of its jobs that are over. */
  ended(id: string): Promise<boolean>;
}

/** @param depot of the service; null where all share its folder. @param at its URL, if it is no folder */
async function setting(t: TestContext, depot: "depot" | null, at?: string): Promise<Setting> {
  const folder = await scratch(t);
  const url = at ?? String(pathToFileURL(join(folder, "depot")));
  const state = join(folder, "state");
  const leader = await service("one", state, openFolderStore(join(folder, "store")), { depot: depot && url });
  t.after(() => leader.close("the test is over"));
  await until(() => isLeading(leader));
  const jobs = connectJobs(givenAddresses([leader.address]));
  t.after(() => jobs.close());
  return {
    ...{ folder: state, leader, jobs },
    depot: within(await openDepot(url), lastingJobId(job, "ends")),
    ended: async (id) => /done|failed|cancelled/.test((await view(leader, `?job=${id}`)).asked?.state ?? ""),
  };
}

test(
  "its files go, in the depot and here, and then it is in no list; submitted again it is a new one",
  bounded,
  async (t) => {
    const { folder, leader, jobs, depot, ended } = await setting(t, "depot");
    const id = await submit(leader, { job: yaml, name: "ends" });
    await assert.rejects(jobs.control(id, "delete", ""), { code: "usage", message: /limbeck cancel ends-.* ends it$/ });
    await depot.put("student/model.json", text.encode("as a worker put it"));
    cast(t, leader).catch(() => {}); // Some are cut off.
    await until(() => ended(id));
    assert.ok((await depot.list("")).some(({ key }) => key === "report.json"));
    assert.ok(existsSync(join(folder, "jobs", id)));

    const { state, why } = await jobs.control(id, "delete", "enough");
    assert.deepEqual([state, why], ["done", "it was deleted: enough"]);
    assert.deepEqual(await depot.list(""), []);
    assert.deepEqual(await readdir(join(folder, "jobs")), []);
    assert.deepEqual(await jobs.list(), []);
    await assert.rejects(jobs.artifacts(id), { code: "usage" });
    assert.notEqual(await submit(leader, { job: yaml, name: "ends" }), id);
  },
);

test(
  "where another is the same job the depot keeps what is of both; without a depot the folder goes",
  bounded,
  async (t) => {
    for (const kind of ["depot", null] as const) {
      const { folder, leader, jobs, depot, ended } = await setting(t, kind);
      const first = await submit(leader, { job: yaml, name: "ends" });
      cast(t, leader).catch(() => {}); // Some are cut off.
      await until(() => ended(first));
      const second = await submit(leader, { job: effectiveJobYaml(withOthers, "/"), name: "ends" });
      assert.notEqual(second, first);
      const { why } = await jobs.control(first, "delete", "");
      const stays = new RegExp(`^it was deleted; file:.*/ends-[0-9a-f]{8} stays, for ${second} is the same job$`);
      if (kind) assert.match(why, stays);
      else assert.equal(why, "it was deleted");
      assert.equal(
        (await depot.list("")).some(({ key }) => key === "report.json"),
        kind !== null,
      );
      assert.ok(!existsSync(join(folder, "jobs", first)));
      assert.deepEqual(
        (await jobs.list()).map(({ id }) => id),
        [second],
      );
    }
  },
);

test(
  "while it goes nobody begins what goes on from its files, and who asks again waits for the same",
  bounded,
  async (t) => {
    const server = await s3Server();
    t.after(() => server.close());
    Object.assign(process.env, server.env);
    const { leader, jobs, depot, ended } = await setting(t, "depot", `s3://${server.bucket}`);
    const first = await submit(leader, { job: yaml, name: "ends" });
    cast(t, leader).catch(() => {}); // Some are cut off.
    await until(() => ended(first));
    const [reached, going] = [gate(), gate()];
    t.after(() => going.open());
    server.before = async ({ what }) => {
      if (!what.startsWith("DELETE")) return;
      reached.open();
      await going.opened;
    };
    const deleting = jobs.control(first, "delete", "");
    await reached.opened;
    const asked = {
      ...{ priority: 0, sources: [], by: "anna@lab" },
      job: effectiveJobYaml(withOthers, "/"),
      name: "ends",
    };
    await assert.rejects(jobs.submit({ ...asked, request: "one" }), {
      code: "unavailable",
      message: `${first}, which is the same job, is being deleted; submit it again`,
    });
    const again = jobs.control(first, "delete", "");
    assert.ok((await jobs.submit({ ...asked, name: "another", request: "two" })).created);
    going.open();
    const reply = { state: "done", why: "it was deleted" };
    assert.deepEqual(await Promise.all([deleting, again]), [reply, reply]);
    assert.deepEqual(await depot.list(""), []);
    await assert.rejects(jobs.control(first, "delete", ""), { code: "usage", message: /that has deleted it$/ });
    await depot.put("student/model.json", text.encode("of the next"));
    assert.ok((await jobs.submit({ ...asked, request: "three" })).created);
    assert.equal((await depot.list("")).length, 1);
  },
);
