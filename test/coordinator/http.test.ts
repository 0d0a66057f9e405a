/** The HTTP port of a real coordinator: /state, /healthz and /metrics, while workers join and when a job is over. */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { Registry } from "prom-client";
import { withFindings } from "../../coordinator/diagnosis.ts";
import { open } from "../../coordinator/gather.ts";
import { createMetrics } from "../../coordinator/metrics.ts";
import type { State } from "../../coordinator/state.ts";
import type { JobStatus } from "../../coordinator/status.ts";
import { type CheckName, type Finding, severities } from "../../core/doctor/finding.ts";
import type { ToWorker__Output } from "../../proto/gen/limbeck/v1/ToWorker.ts";
import { packageVersion } from "../../proto/package.ts";
import { coordinatorClient } from "../../proto/wire.ts";
import { assertBears } from "../hostilehttp.ts";
import { assertWellFormed } from "../metricstext.ts";
import { checkMetrics, findPromtool } from "../promtool.ts";
import { Actor } from "./actor.ts";
import { testJob, testPlan } from "./jobs.ts";
import { bounded, cast, get, play, started } from "./sessions.ts";

test("/state says what is waited for and why, /healthz that it lives", bounded, async (t) => {
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

test("/readyz: it decides, and no more once another process has its journal, of which it ends", bounded, async (t) => {
  const coordinator = await started(t);
  for await (const event of coordinator.events) if (event.kind === "job-started") break;
  const { status, text } = await get(coordinator, "/readyz");
  assert.deepEqual([status, text], [200, "decides\n"]);
  writeFileSync(join(coordinator.folder, "journal.lock"), "elsewhere 1 1");
  const outcome = await coordinator.finished;
  assert.ok(outcome.kind === "left", outcome.kind);
  assert.equal(outcome.error.code, "stale_term");
  assert.match(outcome.error.message, /^the journal in \S+ is no longer this process's: /);
  assert.equal((await get(coordinator, "/readyz")).status, 503);
  assert.equal((await get(coordinator, "/healthz")).status, 200);
});

test("whatever is asked of the port, the coordinator decides on", bounded, async (t) => {
  const coordinator = await started(t);
  await assertBears(coordinator.httpAddress);
  await cast(t, coordinator);
  assert.equal((await coordinator.finished).kind, "done");
});

test("/metrics counts what was done, and promtool finds nothing to say", bounded, async (t) => {
  const coordinator = await started(t);
  await cast(t, coordinator);
  await coordinator.finished;
  const { status, type, text } = await get(coordinator, "/metrics");
  assert.equal(status, 200);
  assert.match(type!, /^text\/plain; version=0\.0\.4/);
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
    assert.equal(value(`limbeck_steps_total{stage="${stage}"}`), 12);
    assert.equal(value(`limbeck_steps_planned{stage="${stage}"}`), 12);
    assert.equal(value(`limbeck_progress_ratio{stage="${stage}"}`), 1);
    assert.equal(value(`limbeck_samples_total{stage="${stage}"}`), 80, "each example once per epoch, whoever had it");
    assert.equal(value(`limbeck_checkpoints_total{stage="${stage}"}`), 1);
    assert.equal(value(`limbeck_checkpoint_size_bytes{stage="${stage}"}`), 7);
    assert.equal(value(`limbeck_ledger_duplicates{stage="${stage}"}`), 1, "as the lead says");
    assert.equal(value(`limbeck_ledger_gaps{stage="${stage}"}`), 2);
    assert.equal(value(`limbeck_gradient_norm{stage="${stage}"}`), 0.5);
    assert.ok(value(`limbeck_last_step_timestamp_seconds{stage="${stage}"}`) > Date.now() / 1000 - 60);
  }
  assert.equal(value('limbeck_loss_nats{stage="distil",component="soft"}'), 1);
  assert.equal(value('limbeck_temperature{stage="distil"}'), testJob().distil.temperature);
  assert.doesNotMatch(text, /limbeck_temperature\{stage="teach"/, "what a stage does not have is not there");
  assert.equal(value('limbeck_terms_total{reason="start"}'), 1);
  assert.equal(value('limbeck_terms_total{reason="stage"}'), 2);
  assert.equal(value('limbeck_terms_total{reason="lost"}'), 0, "a series that is zero is there");
  assert.equal(value("limbeck_leader"), 1);
  assert.ok(value("limbeck_journal_append_seconds_count") > 3, "each term is on disk before it is told");
  assert.equal(value("limbeck_journal_failures_total"), 0);
  assert.equal(value('limbeck_workers_wanted{role="student"}'), 2);
  assert.equal(value('limbeck_workers_wanted{role="teacher"}'), 1);
  assert.equal(value('limbeck_workers{role="teacher",state="working"}'), 0);
  assert.doesNotMatch(text, /^limbeck_worker_/m, "who has left leaves no series");
  const join = 'grpc_service="limbeck.v1.Coordinator",grpc_method="Join",grpc_type="bidi_stream"';
  assert.equal(value(`grpc_server_started_total{${join}}`), 3);
  assert.equal(value(`grpc_server_handled_total{${join},grpc_code="OK"}`), 3);
  assert.ok(value(`grpc_server_msg_received_total{${join}}`) > value(`grpc_server_msg_sent_total{${join}}`));

  assertWellFormed(text);
  const promtool = findPromtool();
  if ("why" in promtool) return t.diagnostic(promtool.why);
  assert.equal(checkMetrics(promtool.path, text), "");
});

test(
  "a worker that falls silent is counted with the time it took to find it, and to go on without it",
  bounded,
  async (t) => {
    const job = testJob({ workers: { students: { min: 1, max: 2 }, teachers: 1 }, epochs: 4 });
    const coordinator = await started(t, { job });
    const client = coordinatorClient(coordinator.address);
    t.after(() => client.close());
    const dying = client.join();
    dying.on("error", () => {});
    const actor = new Actor("student-1", "student");
    dying.write(actor.hello(packageVersion));
    dying.on("data", (message: ToWorker__Output) => {
      for (const each of (message.body === "begin" ? null : actor.answer(message)) ?? []) dying.write(each);
      if (message.body === "begin") dying.cancel();
    });
    const others = [new Actor("student-2", "student"), new Actor("teacher-1", "teacher")];
    await Promise.all(others.map((each) => play(t, coordinator.address, each)));
    const { text } = await get(coordinator, "/metrics");
    assert.match(text, /^limbeck_workers_lost_total 1$/m);
    assert.match(text, /^limbeck_fault_detection_seconds_count 1$/m);
    assert.match(text, /^limbeck_fault_recovery_seconds_count 1$/m);
    assert.match(text, /^limbeck_terms_total\{reason="lost"\} 1$/m);
  },
);

test("/metrics is OpenMetrics for who asks for it, again and again", bounded, async (t) => {
  const coordinator = await started(t);
  const url = `http://${coordinator.httpAddress}/metrics`;
  for (let time = 0; time < 2; time++) {
    const response = await fetch(url, { headers: { accept: "application/openmetrics-text; version=1.0.0" } });
    assert.match(response.headers.get("content-type")!, /^application\/openmetrics-text; version=1\.0\.0/);
    const text = await response.text();
    assert.match(text, /^# TYPE limbeck_samples counter\nlimbeck_samples_total\{/m, "the family has no _total");
    assert.doesNotMatch(text, /\n\n/, "no empty line");
    assert.ok(text.endsWith("\n# EOF\n"));
    const plain = (await get(coordinator, "/metrics")).text;
    assert.match(plain, /^# TYPE limbeck_samples_total counter\nlimbeck_samples_total\{/m);
  }
});

test("/targets lists who serves metrics, with role and name, for Prometheus to find", bounded, async (t) => {
  const coordinator = await started(t);
  const playing = play(t, coordinator.address, new Actor("student-1", "student"));
  for await (const event of coordinator.events) if (event.kind === "worker-prepared") break;
  const { type, text } = await get(coordinator, "/targets");
  assert.equal(type, "application/json");
  const job = testJob().name;
  assert.deepEqual(JSON.parse(text), [
    {
      targets: [coordinator.httpAddress],
      labels: { limbeck_job: job, limbeck_role: "coordinator", limbeck_worker: "" },
    },
    {
      targets: ["127.0.0.1:2"],
      labels: { limbeck_job: job, limbeck_role: "student", limbeck_worker: "student-1" },
    },
  ]);
  coordinator.stop("enough");
  await playing;
});

test("a coordinator that listens on all addresses is listed where it was asked", bounded, async (t) => {
  const coordinator = await started(t, { http: { host: "0.0.0.0", port: 0 } });
  const port = coordinator.httpAddress.split(":")[1];
  const [own] = (await (await fetch(`http://127.0.0.2:${port}/targets`)).json()) as { targets: string[] }[];
  assert.deepEqual(own!.targets, [`127.0.0.2:${port}`]);
  coordinator.stop("enough");
});

test("workers are counted by role and state", bounded, async (t) => {
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

test("what the doctor found is counted by severity, the newest of each check, every severity from the start", async () => {
  let state: State = open(testPlan(testJob()), 0)[0];
  const registry = new Registry();
  const metrics = createMetrics(registry, { job: testJob(), stages: ["distil"], now: Date.now });
  const count = async (severity: string) => {
    metrics.refresh(state);
    const line = new RegExp(`^limbeck_doctor_findings\\{severity="${severity}"\\} (\\d+)$`, "m");
    return Number(line.exec(await registry.metrics())?.[1]);
  };
  assert.equal(await count("refusal"), 0);
  const finding = (check: CheckName, severity: Finding["severity"]) => ({ check, severity, message: "", evidence: {} });
  const before = [finding("pairing", "ok"), finding("soft-term", "warning")];
  const doctor = withFindings(before, { findings: [finding("pairing", "refusal"), finding("replicas", "not-run")] });
  state = { ...state, course: { doctor } } as unknown as State;
  assert.deepEqual(await Promise.all(severities.map(count)), [0, 1, 1, 1]);
});

test("a journal that cannot be written is counted, and still fails whoever writes to it", async () => {
  const registry = new Registry();
  const metrics = createMetrics(registry, { job: testJob(), stages: ["distil"], now: Date.now });
  await assert.rejects(metrics.journalling(Promise.reject(new Error("no space left"))), /no space left/);
  await metrics.journalling(Promise.resolve());
  const text = await registry.metrics();
  assert.match(text, /^limbeck_journal_failures_total 1$/m);
  assert.match(text, /^limbeck_journal_append_seconds_count 1$/m);
});
