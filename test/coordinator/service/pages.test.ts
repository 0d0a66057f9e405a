/** What the pages of a service are told, over real HTTP: the jobs in their order, who leads, and of each job what there is. */
import assert from "node:assert/strict";
import { renameSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { openFolderStore } from "../../../coordinator/folder/store.ts";
import { assertBears } from "../../hostilehttp.ts";
import { bounded, scratch } from "../sessions.ts";
import { control, isLeading, jobFile, service, submit, submitAll, until, view } from "./services.ts";

test("jobs wait in the queue's order, are found by what is in them, and end where they belong", bounded, async (t) => {
  const folder = await scratch(t);
  const leader = await service("one", folder, openFolderStore(folder));
  t.after(() => leader.close("the test is over"));
  await until(() => isLeading(leader));
  const empty = await view(leader);
  assert.deepEqual([empty.running.all, empty.waiting.all, empty.over.all, empty.workers.all], [0, 0, 0, 0]);
  assert.equal(empty.leader?.address, leader.address);

  const low = await submit(leader, { job: jobFile, name: "low" });
  const high = await submit(leader, { job: jobFile, name: "high", priority: 5 });
  const gone = await submit(leader, { job: jobFile, name: "gone" });
  const rests = await submit(leader, { job: jobFile, name: "rests" });
  await control(leader, gone, "cancel");
  await control(leader, rests, "pause");
  await until(async () => (await view(leader)).waiting.lines[2]?.state === "paused");
  const { waiting, over } = await view(leader);
  assert.deepEqual(
    waiting.lines.map(({ id, state, priority, by }) => [id, state, priority, by]),
    [
      [high, "queued", 5, "anna@lab"],
      [low, "queued", 0, "anna@lab"],
      [rests, "paused", 0, "anna@lab"],
    ],
  );
  assert.match(waiting.lines[0]!.why, /^it waits for 2 students and 1 teacher: none is left for it$/);
  assert.deepEqual(
    over.lines.map(({ id, state, errors }) => [id, state, errors]),
    [[gone, "cancelled", null]],
  );

  const found = (await view(leader, "?find=HIGH")).waiting;
  assert.deepEqual([found.lines.map(({ id }) => id), found.found, found.all], [[high], 1, 3]);
  const beside = await view(leader, `?job=${low}`);
  assert.equal(beside.asked?.id, low);
  assert.deepEqual([beside.waiting.lines, beside.waiting.all], [[], 3], "a job's page shows no queue");
  assert.equal((await view(leader, "?job=nobody-1234")).asked, null);
});

test("of many jobs the first hundred are sent, and how many there are", bounded, async (t) => {
  const folder = await scratch(t);
  const leader = await service("one", folder, openFolderStore(folder));
  t.after(() => leader.close("the test is over"));
  await until(() => isLeading(leader));
  const ids = await submitAll(
    leader,
    Array.from({ length: 300 }, (_, at) => ({ job: jobFile, name: `job-${at}` })),
  );
  const { waiting } = await view(leader);
  assert.deepEqual([waiting.lines.length, waiting.found, waiting.all], [100, 300, 300]);
  assert.deepEqual(
    waiting.lines.map(({ id }) => id),
    ids.slice(0, 100),
  );
  const headers = { "if-none-match": (await fetch(`http://${leader.httpAddress}/cluster`)).headers.get("etag")! };
  assert.equal((await fetch(`http://${leader.httpAddress}/cluster`, { headers })).status, 304, "nothing has changed");
});

test(
  "paths below /jobs/: ways to the page, reports with a policy of their own, and nothing else",
  bounded,
  async (t) => {
    const folder = await scratch(t);
    const leader = await service("one", folder, openFolderStore(folder));
    t.after(() => leader.close("the test is over"));
    await until(() => isLeading(leader));
    const get = (path: string, method = "GET") =>
      fetch(`http://${leader.httpAddress}${path}`, { method, redirect: "manual" });
    const id = await submit(leader, { job: jobFile });

    for (const [path, location] of [
      ["/jobs", "/"],
      ["/jobs/", "/"],
      [`/jobs/${id}`, `/jobs/${id}/`],
    ] as const) {
      const { status, headers } = await get(path);
      assert.deepEqual([status, headers.get("location")], [302, location], path);
    }
    assert.match(await (await get(`/jobs/${id}/`)).text(), /Skip to the job/);
    assert.equal((await get(`/jobs/${id}/events`)).status, 204, "it does not run");
    for (const path of ["/jobs/nobody-1234/", `/jobs/${id}/state`, `/jobs/${id}/journal.jsonl`, "/jobs/..%2f/"]) {
      assert.equal((await get(path)).status, 404, path);
    }
    for (const path of ["/", "/cluster", `/jobs/${id}/`, `/jobs/${id}/events`, "/jobs/nobody-1234/"]) {
      assert.equal(await (await get(path, "HEAD")).text(), "", path);
    }

    await control(leader, id, "cancel");
    await until(async () => (await view(leader, `?job=${id}`)).asked?.state === "cancelled");
    assert.match(await (await get(`/jobs/${id}/`)).text(), /Skip to the job/, "it has left no report");
    const run = join(folder, "jobs", id);
    await mkdir(run, { recursive: true });
    writeFileSync(join(folder, "secret"), "<main>secret");
    symlinkSync(join(folder, "secret"), join(run, "report.html"));
    assert.doesNotMatch(await (await get(`/jobs/${id}/`)).text(), /secret/, "a link out of the run folder");
    writeFileSync(join(run, "report.new"), "<main>");
    truncateSync(join(run, "report.new"), 33 << 20);
    renameSync(join(run, "report.new"), join(run, "report.html"));
    assert.match(await (await get(`/jobs/${id}/`)).text(), /Skip to the job/, "larger than any report");
    writeFileSync(join(run, "report.new"), "<body><main><h1>its report</h1></main></body>");
    renameSync(join(run, "report.new"), join(run, "report.html"));
    const report = await get(`/jobs/${id}/`);
    assert.match(report.headers.get("content-security-policy")!, /^sandbox allow-scripts; default-src 'none'/);
    assert.match(await report.text(), /<a href="\/">All jobs<\/a>.*its report/s);
  },
);

test(
  "the list that is asked of any coordinator names the leader's own address, not the one for all",
  bounded,
  async (t) => {
    const folder = await scratch(t);
    const everywhere = { http: { host: "0.0.0.0", port: 0 }, advertise: "127.0.0.3:7070" };
    const leader = await service("one", folder, openFolderStore(folder), everywhere);
    t.after(() => leader.close("the test is over"));
    await until(() => isLeading(leader));
    const port = leader.httpAddress.split(":")[1];
    const named = async (path: string) => {
      const groups = await (await fetch(`http://127.0.0.2:${port}${path}`)).json();
      return (groups as { readonly targets: readonly string[] }[]).flatMap(({ targets }) => targets);
    };
    assert.deepEqual(await named("/leader/targets"), [`127.0.0.3:${port}`]);
    assert.deepEqual(await named("/targets"), [`127.0.0.2:${port}`], "who knows its address has found it there");
  },
);

test("one that stands by says who leads; of a job it has the page, for it may lead again", bounded, async (t) => {
  const folder = await scratch(t);
  const leader = await service("one", folder, openFolderStore(folder));
  await until(() => isLeading(leader));
  const id = await submit(leader, { job: jobFile });
  const follower = await service("two", folder, openFolderStore(folder));
  t.after(() => follower.close("the test is over"));
  await until(async () => (await view(follower)).leader !== null);
  const { standing, leader: told, waiting } = await view(follower);
  assert.deepEqual(
    [standing, told, waiting.all],
    ["standby", { name: "one", address: leader.address, http: leader.httpAddress }, 0],
  );
  const page = await fetch(`http://${follower.httpAddress}/jobs/${id}/`);
  assert.equal(page.status, 200);
  assert.match(await page.text(), /Skip to the job/);
  const targets = async (of: typeof leader) => (await fetch(`http://${of.httpAddress}/leader/targets`)).text();
  assert.equal(await targets(follower), await targets(leader), "sent on to who leads, and there");
  assert.match(await targets(leader), new RegExp(`"${leader.httpAddress}"`));
  for (const each of [leader, follower]) await assertBears(each.httpAddress);
  await leader.close("another shall lead");
  await until(async () => (await view(follower, `?job=${id}`)).asked?.state === "queued");
});
