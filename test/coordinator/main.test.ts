/** The coordinator as its workers and watchers meet it: real gRPC sessions over loopback, real files, real HTTP. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { rmSync } from "node:fs";
import { mkdtemp, readdir, readFile, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { parse } from "yaml";
import { type Coordinator, type CoordinatorOptions, startCoordinator } from "../../coordinator/main.ts";
import type { JobStatus } from "../../coordinator/status.ts";
import type { ProgressEvent } from "../../core/events.ts";
import { jobSchema } from "../../core/job.ts";
import type { Report } from "../../core/report.ts";
import { connectCoordinator } from "../../proto/clients.ts";
import type { ToWorker__Output } from "../../proto/gen/limbeck/v1/ToWorker.ts";
import { packageVersion } from "../../proto/package.ts";
import { errorOfCall } from "../../proto/status.ts";
import { coordinatorClient } from "../../proto/wire.ts";
import { Actor } from "./actor.ts";
import { testJob } from "./jobs.ts";

const loopback = { host: "127.0.0.1", port: 0 };

async function scratch(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "limbeck-coordinator-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

async function started(
  t: TestContext,
  changes: Partial<CoordinatorOptions> = {},
): Promise<Coordinator & { folder: string }> {
  const folder = join(await scratch(t), "run");
  const job = testJob({ workers: { students: 2, teachers: 1 }, epochs: 4 });
  const coordinator = await startCoordinator({
    job,
    jobFolder: "/jobs",
    runFolder: folder,
    listen: loopback,
    http: loopback,
    ...changes,
  });
  t.after(() => coordinator.close());
  return { ...coordinator, folder };
}

/** Joins as the actor until the coordinator says stop; resolves with why it ended. */
async function play(t: TestContext, address: string, actor: Actor, build = packageVersion): Promise<string> {
  const client = coordinatorClient(address);
  t.after(() => client.close());
  const stream = client.join();
  stream.write(actor.hello(build));
  try {
    for await (const message of stream as AsyncIterable<ToWorker__Output>) {
      const said = actor.answer(message);
      if (said === null) {
        stream.end();
        return message.stop!.why;
      }
      for (const each of said) stream.write(each);
    }
  } catch (thrown) {
    throw errorOfCall(thrown, "the coordinator");
  }
  return "the session ended";
}

function cast(t: TestContext, { address }: Coordinator): Promise<string[]> {
  const actors = [
    new Actor("student-1", "student"),
    new Actor("student-2", "student"),
    new Actor("teacher-1", "teacher"),
  ];
  return Promise.all(actors.map((actor) => play(t, address, actor)));
}

async function watched(address: string): Promise<ProgressEvent[]> {
  const client = connectCoordinator(address);
  const events: ProgressEvent[] = [];
  for await (const event of client.watch()) events.push(event);
  client.close();
  return events;
}

async function get(
  coordinator: Coordinator,
  path: string,
): Promise<{ status: number; type: string | null; text: string }> {
  const response = await fetch(`http://${coordinator.httpAddress}${path}`);
  return { status: response.status, type: response.headers.get("content-type"), text: await response.text() };
}

test("a whole job over real sessions: report, records, watchers", async (t) => {
  const coordinator = await started(t);
  const early = watched(coordinator.address);
  const goodbyes = await cast(t, coordinator);
  assert.deepEqual(goodbyes, ["the job is done", "the job is done", "the job is done"]);
  const outcome = await coordinator.finished;
  assert.equal(outcome.kind, "done");

  const files = (await readdir(coordinator.folder)).sort();
  assert.deepEqual(files, ["events.jsonl", "job.yaml", "report.json"], "whole files only");
  const report = JSON.parse(await readFile(join(coordinator.folder, "report.json"), "utf8")) as Report;
  assert.deepEqual(report, outcome.kind === "done" && outcome.report);
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

test("job.yaml is the effective job", async (t) => {
  const coordinator = await started(t);
  const text = await readFile(join(coordinator.folder, "job.yaml"), "utf8");
  assert.match(text, /start from \/jobs/);
  assert.deepEqual(jobSchema.parse(parse(text)), testJob({ workers: { students: 2, teachers: 1 }, epochs: 4 }));
});

test("/state says what is waited for and why, /healthz that it lives", async (t) => {
  const coordinator = await started(t);
  const actor = new Actor("student-1", "student");
  const playing = play(t, coordinator.address, actor);
  for await (const event of coordinator.events) if (event.kind === "worker-prepared") break;
  const { status, type, text } = await get(coordinator, "/state");
  assert.equal(status, 200);
  assert.equal(type, "application/json");
  const state = JSON.parse(text) as JobStatus;
  assert.equal(state.state, "gathering");
  assert.deepEqual(state.waitingFor, ["1 student to join", "1 teacher to join"]);
  assert.match(state.why, /begins when all its workers/);
  assert.deepEqual(
    state.workers.map(({ worker, role, state }) => [worker, role, state]),
    [["student-1", "student", "waiting"]],
  );
  assert.deepEqual((await get(coordinator, "/healthz")).text, "ok\n");
  assert.equal((await get(coordinator, "/nothing")).status, 404);
  const posted = await fetch(`http://${coordinator.httpAddress}/state`, { method: "POST" });
  assert.equal(posted.status, 405);
  coordinator.stop("enough");
  assert.equal(await playing, "enough");
});

test("/metrics counts what was done, and promtool finds nothing to say", async (t) => {
  const coordinator = await started(t);
  await cast(t, coordinator);
  await coordinator.finished;
  const { status, type, text } = await get(coordinator, "/metrics");
  assert.equal(status, 200);
  assert.match(type!, /^text\/plain/);
  const value = (series: string) =>
    Number(
      text
        .split("\n")
        .find((line) => line.startsWith(`${series} `))
        ?.split(" ")[1],
    );
  assert.equal(value(`limbeck_build_info{version="${packageVersion}"}`), 1);
  for (const stage of ["teach", "distil", "baseline"]) {
    assert.equal(value(`limbeck_step{stage="${stage}"}`), 12);
    assert.equal(value(`limbeck_samples_total{stage="${stage}"}`), 80, "each example once per epoch, whoever had it");
    assert.equal(value(`limbeck_checkpoints_total{stage="${stage}"}`), 1);
  }
  assert.equal(value("limbeck_soft_target_requests_total"), 80);
  assert.equal(value("limbeck_soft_target_bytes_total"), 480);
  assert.equal(value('limbeck_loss_nats{stage="distil",kind="soft"}'), 1);
  assert.equal(
    value('limbeck_step_phase_seconds_count{phase="soft_targets"}'),
    18,
    "6 reports of the lead in each stage",
  );
  assert.ok(Math.abs(value('limbeck_step_phase_seconds_sum{phase="compute"}') - 18 * 0.025) < 1e-9);
  assert.equal(value('limbeck_workers{role="teacher",state="working"}'), 0, "a series that is zero is there");
  assert.doesNotMatch(text, /limbeck_worker_resident_bytes\{/, "who has left leaves no series");

  const families = [...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(([, name, kind]) => ({ name: name!, kind: kind! }));
  for (const { name, kind } of families) assert.equal(name.endsWith("_total"), kind === "counter", name);
  assert.doesNotMatch(text, /\{[^}]*(step|example|message)="/, "no label with endless values");
  const promtool = findPromtool();
  if (!promtool) return t.diagnostic("promtool is not installed: its own check was left out");
  const verdict = execFileSync(promtool, ["check", "metrics"], { input: text, encoding: "utf8", stdio: "pipe" });
  assert.equal(verdict, "");
});

function findPromtool(): string | null {
  try {
    return execFileSync("sh", ["-c", "command -v promtool"], { encoding: "utf8" }).trim();
  } catch {
    return null;
  }
}

test("workers are counted by role and state", async (t) => {
  const coordinator = await started(t);
  const playing = play(t, coordinator.address, new Actor("teacher-1", "teacher"));
  for await (const event of coordinator.events) if (event.kind === "worker-prepared") break;
  const { text } = await get(coordinator, "/metrics");
  assert.match(text, /^limbeck_workers\{role="teacher",state="waiting"\} 1$/m);
  assert.match(text, /^limbeck_workers\{role="student",state="waiting"\} 0$/m);
  assert.match(text, /^limbeck_worker_resident_bytes\{worker="teacher-1"\} 1$/m);
  coordinator.stop("enough");
  await playing;
});

test("a worker whose session breaks fails the job, and is named", async (t) => {
  const coordinator = await started(t);
  const staying = play(t, coordinator.address, new Actor("student-1", "student"));
  const client = coordinatorClient(coordinator.address);
  t.after(() => client.close());
  const dying = client.join();
  dying.on("error", () => {});
  dying.write(new Actor("student-2", "student").hello(packageVersion));
  for await (const event of coordinator.events)
    if (event.kind === "worker-joined" && event.worker === "student-2") break;
  dying.cancel();
  const outcome = await coordinator.finished;
  assert.equal(outcome.kind, "failed");
  assert.equal(outcome.kind === "failed" && outcome.error.code, "lost_worker");
  assert.match(await staying, /the job failed: student-2 is lost: its session broke off/);
  const last = (await watched(coordinator.address)).at(-1)!;
  assert.equal(last.kind === "job-failed" && last.code, "lost_worker");
  assert.ok(!(await readdir(coordinator.folder)).includes("report.json"));
});

test("a worker that is refused is told why, and what cannot be understood ends a session", async (t) => {
  const coordinator = await started(t);
  const old = play(t, coordinator.address, new Actor("old", "student"), "0.0.1");
  await assert.rejects(old, { name: "LimbeckError", code: "unavailable", message: /old is Limbeck 0\.0\.1/ });
  const strange = play(t, coordinator.address, new Actor("strange", "king" as "student"));
  await assert.rejects(strange, { name: "LimbeckError", code: "usage", message: /must be student or teacher/ });
  assert.equal((JSON.parse((await get(coordinator, "/state")).text) as JobStatus).workers.length, 0);
});

test("Stop stops in order", async (t) => {
  const coordinator = await started(t);
  const playing = play(t, coordinator.address, new Actor("student-1", "student"));
  for await (const event of coordinator.events) if (event.kind === "worker-joined") break;
  const client = connectCoordinator(coordinator.address);
  await client.stop("stopped by SIGINT");
  client.close();
  assert.equal(await playing, "stopped by SIGINT");
  assert.deepEqual(await coordinator.finished, { kind: "stopped", why: "stopped by SIGINT" });
});

test("a busy port is named, and nothing is left of the coordinator that could not start", async (t) => {
  const server = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  t.after(() => server.close());
  const busy = { host: "127.0.0.1", port: (server.address() as { port: number }).port };
  const message = (flag: string) => new RegExp(`port ${busy.port} on 127\\.0\\.0\\.1 is busy.*${flag}`);
  await assert.rejects(started(t, { listen: busy }), { code: "unavailable", message: message("--listen") });
  await assert.rejects(started(t, { http: busy }), { code: "unavailable", message: message("--http") });
});

test("a folder that holds another run, or cannot be written, is refused", async (t) => {
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

test("a report that cannot be written fails the job", async (t) => {
  const coordinator = await started(t);
  rmSync(coordinator.folder, { recursive: true });
  await cast(t, coordinator);
  const outcome = await coordinator.finished;
  assert.equal(outcome.kind, "failed");
  assert.match(outcome.kind === "failed" ? outcome.error.message : "", /report\.json cannot be written/);
  assert.equal((await watched(coordinator.address)).at(-1)!.kind, "job-failed");
});
