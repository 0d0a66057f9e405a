/** The HTTP port of a real coordinator: /state, /healthz and /metrics, while workers join and when a job is over. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { test } from "node:test";
import { withFindings } from "../../coordinator/diagnosis.ts";
import { open } from "../../coordinator/gather.ts";
import { createMetrics } from "../../coordinator/metrics.ts";
import type { State } from "../../coordinator/state.ts";
import type { JobStatus } from "../../coordinator/status.ts";
import { type CheckName, type Finding, severities } from "../../core/doctor/finding.ts";
import { packageVersion } from "../../proto/package.ts";
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

test("/metrics counts what was done, and promtool finds nothing to say", bounded, async (t) => {
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
  assert.equal(value("limbeck_soft_target_input_bytes_total"), 640);
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
  const { registry } = createMetrics("1", ["distil"], () => state);
  const count = async (severity: string) => {
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
