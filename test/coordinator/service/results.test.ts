/** What is left of a job where coordinators share no folder: any of them has it, also where the leader died as the job ended. */
import assert from "node:assert/strict";
import { type EventEmitter, once } from "node:events";
import { promises } from "node:fs";
import { type FileHandle, mkdir, writeFile } from "node:fs/promises";
import { syncBuiltinESMExports } from "node:module";
import { join } from "node:path";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import { openFolderStore } from "../../../coordinator/folder/store.ts";
import type { Service } from "../../../coordinator/service/main.ts";
import { Results, textOf } from "../../../coordinator/service/results.ts";
import type { ProgressEvent } from "../../../core/events.ts";
import { effectiveJobYaml } from "../../../core/jobfile.ts";
import { connectCoordinator } from "../../../proto/clients.ts";
import { within } from "../../../proto/depot/depot.ts";
import { openDepot } from "../../../proto/depot/open.ts";
import { connectJobs } from "../../../proto/jobs.ts";
import { lastingJobId } from "../../../proto/jobsha256.ts";
import { givenAddresses } from "../../../proto/whereabouts.ts";
import { s3Server } from "../../s3server.ts";
import { gate } from "../gate.ts";
import { testJob } from "../jobs.ts";
import { bounded, cast, scratch } from "../sessions.ts";
import { ended } from "./ended.ts";
import { dyingAfter, isLeading, service, submit, until, view } from "./services.ts";

async function left({ address, httpAddress }: Service, id: string) {
  const jobs = connectJobs(givenAddresses([address]));
  const client = connectCoordinator(address, id);
  try {
    const { artifacts } = await jobs.artifacts(id);
    const model: Uint8Array[] = [];
    for await (const piece of jobs.fetch(id, "student/model.json")) model.push(piece);
    const events: ProgressEvent[] = [];
    for await (const event of client.watch()) events.push(event);
    return {
      paths: artifacts.map(({ path }) => path),
      model: Buffer.concat(model).toString(),
      last: events.at(-1)?.kind,
      page: await (await fetch(`http://${httpAddress}/jobs/${id}/`)).text(),
    };
  } finally {
    client.close();
    jobs.close();
  }
}

test(
  "a leader dies between a job's end and its report: the next one, on an empty folder, has both, and so has the one after it",
  bounded,
  async (t) => {
    const folder = await scratch(t);
    const url = (name: string) => String(pathToFileURL(join(folder, name)));
    const store = () => openFolderStore(join(folder, "store"));
    const job = testJob({ workers: { students: 2, teachers: 1 }, epochs: 4 });

    // What it has not put into the depot when it dies never comes there.
    const dying = dyingAfter(store(), "ended", () => void first.close("it dies"));
    const first: Service = await service("one", join(folder, "one"), dying, { depot: url("lost") });
    await until(() => isLeading(first));
    const id = await submit(first, { job: effectiveJobYaml(job, "/"), name: "ends" });
    const playing = cast(t, first);
    playing.catch(() => {}); // It is cut off.
    await first.finished;

    const depot = within(await openDepot(url("depot")), lastingJobId(job, "ends"));
    await depot.put("student/model.json", new TextEncoder().encode("as a worker put it"));
    const second = await service("two", join(folder, "two"), store(), { depot: url("depot") });
    const hasEnded = async (of: Service) =>
      /done|failed|cancelled/.test((await view(of, `?job=${id}`)).asked?.state ?? "");
    await until(() => hasEnded(second));
    const { asked } = await view(second, `?job=${id}`);
    assert.equal(asked!.state, "done", asked!.why);
    const there = await left(second, id);
    await second.close("another shall lead");

    const third = await service("three", join(folder, "three"), store(), { depot: url("depot") });
    t.after(() => third.close("the test is over"));
    await until(() => hasEnded(third));
    const later = await left(third, id);
    for (const { paths, model, last, page } of [there, later]) {
      for (const name of ["events.jsonl", "report.html", "report.json", "student/model.json"])
        assert.ok(paths.includes(name), `${name} is among ${paths.join(", ")}`);
      assert.ok(!paths.some((path) => path.includes("journal")), "which is nobody else's business");
      assert.deepEqual([model, last], ["as a worker put it", "job-finished"]);
      assert.match(page, /<a href="\/">All jobs<\/a>/, "its report");
    }
  },
);

const line = (event: object) => `${JSON.stringify({ atMs: 1, ...event })}\n`;

test("a depot that stops in the middle of an answer is not waited for", bounded, async (t) => {
  const folder = await scratch(t);
  const server = await s3Server();
  t.after(() => server.close());
  Object.assign(process.env, server.env);
  server.stalls = () => true;
  const job = ended("stalls");
  const results = new Results({ folder, depot: `s3://${server.bucket}` });
  t.after(() => results.close());
  const depot = within(await openDepot(`s3://${server.bucket}`), lastingJobId(job.job, job.name));
  for (const name of ["report.html", "events.jsonl"]) await depot.put(name, Buffer.alloc(1 << 20, "x"));
  const report = textOf(await results.open(job, "report.html", 500));
  await assert.rejects(report, { code: "timeout", message: /^s3:\S+ did not answer in 0\.5 s$/ });
  await mkdir(join(folder, "jobs", job.id), { recursive: true });
  await writeFile(
    join(folder, "jobs", job.id, "events.jsonl"),
    line({ kind: "coordinator-recovered", term: 1, why: "" }),
  );
  assert.deepEqual(
    (await results.events(job)).map(({ kind }) => kind),
    ["coordinator-recovered"],
    "what is here",
  );
});

test("to say who has the last word, and what it is, a job's events are read once", bounded, async (t) => {
  const folder = await scratch(t);
  const job = ended("once");
  await mkdir(join(folder, "jobs", job.id), { recursive: true });
  await writeFile(join(folder, "jobs", job.id, "events.jsonl"), line({ kind: "job-finished", report: {} }));
  let read = 0;
  for (const name of ["open", "readFile"] as const) {
    const real = promises[name] as (path: string, ...more: unknown[]) => unknown;
    t.mock.method(promises, name, (path: string, ...more: unknown[]) => {
      if (path.endsWith("events.jsonl")) read++;
      return real(path, ...more);
    });
  }
  syncBuiltinESMExports();
  t.after(() => syncBuiltinESMExports());
  const results = new Results({ folder, depot: String(pathToFileURL(join(folder, "depot"))) });
  t.after(() => results.close());
  const events = await results.events(job);
  assert.deepEqual([events.at(-1)?.kind, read], ["job-finished", 1]);
});

test("who has the last word is asked again where its events could not be had", bounded, async (t) => {
  const folder = await scratch(t);
  const job = ended("again");
  const own = join(folder, "jobs", job.id);
  const url = String(pathToFileURL(join(folder, "depot")));
  const results = new Results({ folder, depot: url });
  t.after(() => results.close());
  await within(await openDepot(url), lastingJobId(job.job, job.name)).put("curves.json", Buffer.from("the depot's"));
  await mkdir(own, { recursive: true });
  await writeFile(join(own, "curves.json"), "its own");
  const found = async () => await textOf(await results.open(job, "curves.json"));
  assert.equal(await found(), "the depot's");
  await writeFile(join(own, "events.jsonl"), line({ kind: "job-finished", report: {} }));
  assert.equal(await found(), "its own");
});

test("a file that opens when nobody waits for it any more is closed", bounded, async (t) => {
  const folder = await scratch(t);
  const job = ended("late");
  await mkdir(join(folder, "jobs", job.id), { recursive: true });
  await writeFile(join(folder, "jobs", job.id, "curves.json"), "{}");
  const alive = setInterval(() => {}, 1_000); // Deadlines keep no process.
  t.after(() => clearInterval(alive));
  const [opened, given] = [gate<FileHandle>(), gate()];
  const real = promises.open;
  t.mock.method(promises, "open", async (...args: Parameters<typeof real>) => {
    const file = await real(...args);
    opened.open(file);
    await given.opened;
    return file;
  });
  syncBuiltinESMExports();
  t.after(() => syncBuiltinESMExports());
  const results = new Results({ folder, depot: null });
  t.after(() => results.close());
  await assert.rejects(results.open(job, "curves.json", 10), { code: "timeout" });
  const closed = once((await opened.opened) as unknown as EventEmitter, "close", {
    signal: AbortSignal.timeout(5_000),
  });
  given.open();
  await closed;
});
