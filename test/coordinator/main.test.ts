/** The coordinator as its workers and watchers meet it: real gRPC sessions over loopback, real files. */
import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import { parse } from "yaml";
import type { JobStatus } from "../../coordinator/status.ts";
import type { ProgressEvent } from "../../core/events.ts";
import { jobSchema } from "../../core/job.ts";
import type { RunReport } from "../../core/runreport.ts";
import { connectCoordinator } from "../../proto/clients.ts";
import { packageVersion } from "../../proto/package.ts";
import { coordinatorClient } from "../../proto/wire.ts";
import { Actor } from "./actor.ts";
import { testJob } from "./jobs.ts";
import { bounded, cast, get, play, scratch, started, watched } from "./sessions.ts";

test("a whole job over real sessions: report, records, watchers", bounded, async (t) => {
  const coordinator = await started(t);
  const early = watched(coordinator.address);
  const goodbyes = await cast(t, coordinator);
  assert.deepEqual(goodbyes, ["the job is done", "the job is done", "the job is done"]);
  const outcome = await coordinator.finished;
  assert.equal(outcome.kind, "done");

  const files = (await readdir(coordinator.folder)).sort();
  const lasting = [
    "curves.json",
    "events.jsonl",
    "job.yaml",
    "journal.jsonl",
    "report.html",
    "report.json",
    "tensorboard",
  ];
  assert.deepEqual(files, lasting, "whole files only");
  const report = JSON.parse(await readFile(join(coordinator.folder, "report.json"), "utf8")) as RunReport;
  const { software, time, faults, ...told } = report;
  assert.deepEqual(told, outcome.kind === "done" && outcome.report);
  assert.equal(software.node, process.version);
  assert.deepEqual(
    time.map(({ stage }) => stage),
    ["teach", "distil", "baseline"],
  );
  assert.deepEqual(faults, []);
  assert.deepEqual(
    report.workers.map(({ worker, residentBytes }) => [worker, residentBytes]),
    [
      ["student-1", 1000],
      ["student-2", 1000],
      ["teacher-1", 2000],
    ],
    "the most it ever reported",
  );

  const lines = (await readFile(join(coordinator.folder, "events.jsonl"), "utf8")).trim().split("\n");
  const recorded = lines.map((line) => JSON.parse(line) as ProgressEvent);
  assert.equal(recorded[0]!.kind, "job-started");
  assert.equal(recorded.at(-1)!.kind, "job-finished");
  assert.deepEqual(await early, recorded, "who watched from the start has seen it all");
  assert.deepEqual(await watched(coordinator.address), recorded, "who comes late sees it all again");
  const own: ProgressEvent[] = [];
  for await (const event of coordinator.events) own.push(event);
  assert.deepEqual(own, recorded);
});

test("job.yaml is the effective job", bounded, async (t) => {
  const coordinator = await started(t);
  const text = await readFile(join(coordinator.folder, "job.yaml"), "utf8");
  assert.match(text, /start from \/jobs/);
  assert.deepEqual(jobSchema.parse(parse(text)), testJob({ workers: { students: 2, teachers: 1 }, epochs: 4 }));
});

test(
  "a worker whose session breaks is named, its lanes are dealt to the others, and the job goes on",
  bounded,
  async (t) => {
    const job = testJob({ workers: { students: { min: 1, max: 2 }, teachers: 1 }, epochs: 4 });
    const coordinator = await started(t, { job });
    const client = coordinatorClient(coordinator.address);
    t.after(() => client.close());
    const dying = client.join();
    dying.on("error", () => {});
    dying.write(new Actor("student-1", "student").hello(packageVersion));
    for await (const event of coordinator.events) if (event.kind === "worker-joined") break;
    const staying = [new Actor("student-2", "student"), new Actor("teacher-1", "teacher")];
    const played = staying.map((actor) => play(t, coordinator.address, actor));
    dying.cancel();
    assert.deepEqual(await Promise.all(played), ["the job is done", "the job is done"]);
    const lost = (await watched(coordinator.address)).find(({ kind }) => kind === "worker-lost")!;
    assert.equal(lost.kind === "worker-lost" && lost.worker, "student-1");
  },
);

test("a coordinator that is started again on its folder goes on with the job", bounded, async (t) => {
  const first = await started(t);
  const actors = [
    new Actor("student-1", "student"),
    new Actor("student-2", "student"),
    new Actor("teacher-1", "teacher"),
  ];
  const before = actors.map((actor) => play(t, first.address, actor).catch(() => ""));
  for await (const event of first.events) if (event.kind === "exported") break;
  first.stop("the machine is needed");
  await Promise.all(before);
  await first.close();
  const second = await started(t, { runFolder: first.folder });
  await cast(t, second);
  const outcome = await second.finished;
  assert.equal(outcome.kind, "done");
  const events = await watched(second.address);
  assert.equal(events[0]!.kind, "job-started", "who watches sees the whole of it");
  assert.ok(events.some(({ kind }) => kind === "coordinator-recovered"));
  assert.equal(events.filter((event) => event.kind === "stage-finished" && event.stage === "teach").length, 1);
});

test("a worker that is refused is told why, and what cannot be understood ends a session", bounded, async (t) => {
  const coordinator = await started(t);
  const old = play(t, coordinator.address, new Actor("old", "student"), "0.0.1");
  await assert.rejects(old, { name: "LimbeckError", code: "usage", message: /old is Limbeck 0\.0\.1/ });
  const strange = play(t, coordinator.address, new Actor("strange", "king" as "student"));
  await assert.rejects(strange, { name: "LimbeckError", code: "usage", message: /must be student, teacher or auto/ });
  assert.equal((JSON.parse((await get(coordinator, "/state")).text) as JobStatus).workers.length, 0);
});

test("Stop stops in order", bounded, async (t) => {
  const coordinator = await started(t);
  const playing = play(t, coordinator.address, new Actor("student-1", "student"));
  for await (const event of coordinator.events) if (event.kind === "worker-joined") break;
  const client = connectCoordinator(coordinator.address);
  await client.stop("stopped by SIGINT");
  client.close();
  assert.equal(await playing, "stopped by SIGINT");
  assert.deepEqual(await coordinator.finished, { kind: "stopped", why: "stopped by SIGINT" });
});

test("a busy port is named, and nothing is left of the coordinator that could not start", bounded, async (t) => {
  const server = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  t.after(() => server.close());
  const busy = { host: "127.0.0.1", port: (server.address() as { port: number }).port };
  const message = (flag: string) => new RegExp(`port ${busy.port} on 127\\.0\\.0\\.1 is busy.*${flag}`);
  await assert.rejects(started(t, { listen: busy }), { code: "unavailable", message: message("--listen") });
  await assert.rejects(started(t, { http: busy }), { code: "unavailable", message: message("--http") });
});

test("a folder that holds another run, or cannot be written, is refused", bounded, async (t) => {
  const folder = await scratch(t);
  await writeFile(join(folder, "events.jsonl"), "precious\n");
  await assert.rejects(started(t, { runFolder: folder }), { code: "usage", message: /events\.jsonl exists.*--out/ });
  assert.equal(await readFile(join(folder, "events.jsonl"), "utf8"), "precious\n");
  const file = join(folder, "events.jsonl");
  await assert.rejects(started(t, { runFolder: join(file, "run") }), {
    code: "unavailable",
    message: /a part of its path is a file/,
  });
});

test("a report that cannot be written fails the job", bounded, async (t) => {
  const coordinator = await started(t);
  mkdirSync(join(coordinator.folder, "report.json"));
  await cast(t, coordinator);
  const outcome = await coordinator.finished;
  assert.equal(outcome.kind, "failed");
  assert.match(outcome.kind === "failed" ? outcome.error.message : "", /report\.json cannot be written/);
  assert.equal((await watched(coordinator.address)).at(-1)!.kind, "job-failed");
});
