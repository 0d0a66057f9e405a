/** What Prometheus finds while a job runs: every process, each with its metrics, and promtool content with all of them. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { assertWellFormed, type Series, series } from "../metricstext.ts";
import { checkMetrics, findPromtool } from "../promtool.ts";
import { fakeDriver } from "./fakedriver.ts";
import { distillingRun, scratchFolder } from "./limbeck.ts";

interface Target {
  readonly targets: readonly [string];
  readonly labels: { readonly limbeck_role: string; readonly limbeck_worker: string };
}

function valueIn(all: readonly Series[], name: string, labels: Record<string, string> = {}): number {
  const found = all.filter(
    (each) => each.name === name && Object.entries(labels).every(([label, value]) => each.labels[label] === value),
  );
  assert.equal(found.length, 1, `${name} ${JSON.stringify(labels)}`);
  return found[0]!.value;
}

test("coordinator, students and teacher are found by /targets, and say what they do", {
  timeout: 120_000,
}, async (t) => {
  const settings = ["checkpoint.everySteps=20"];
  const environment = fakeDriver(await scratchFolder(t));
  const run = await distillingRun(t, { until: "checkpointed", settings, environment });
  const address = run.addressAfter("watch it at http://");
  const targets = (await (await fetch(`http://${address}/targets`)).json()) as Target[];
  const roles = targets.map(({ labels }) => `${labels.limbeck_role} ${labels.limbeck_worker}`.trim());
  assert.deepEqual(roles.sort(), ["coordinator", "student student-1", "student student-2", "teacher teacher-1"]);
  const promtool = findPromtool();
  if ("why" in promtool) t.diagnostic(promtool.why);
  const byWorker = new Map<string, Series[]>();
  for (const {
    targets: [target],
    labels,
  } of targets) {
    const text = await (await fetch(`http://${target}/metrics`)).text();
    assertWellFormed(text);
    if ("path" in promtool) assert.equal(checkMetrics(promtool.path, text), "", labels.limbeck_worker);
    byWorker.set(labels.limbeck_worker, series(text));
  }

  const job = byWorker.get("")!;
  assert.ok(valueIn(job, "limbeck_gradient_norm", { stage: "distil" }) > 0);
  assert.ok(valueIn(job, "limbeck_loss_nats", { stage: "distil", component: "soft" }) > 0);
  assert.equal(valueIn(job, "limbeck_ledger_duplicates", { stage: "distil" }), 0);
  assert.equal(valueIn(job, "limbeck_ledger_gaps", { stage: "distil" }), 0);
  assert.equal(valueIn(job, "limbeck_temperature", { stage: "distil" }), 4);
  const lanes = job.filter(({ name }) => name === "limbeck_worker_lanes");
  assert.equal(
    lanes.reduce((sum, { value }) => sum + value, 0),
    4,
  );

  const student = byWorker.get("student-1")!;
  const steps = valueIn(student, "limbeck_student_steps_total");
  assert.ok(steps >= 20);
  for (const phase of ["data", "teacher_wait", "compute", "exchange", "optimizer"]) {
    assert.ok(valueIn(student, "limbeck_step_phase_seconds_count", { phase }) >= steps, phase);
  }
  assert.ok(valueIn(student, "limbeck_step_phase_seconds_count", { phase: "checkpoint" }) >= 1, "the lead's");
  assert.ok(valueIn(student, "limbeck_checkpoint_seconds_count") >= 1);
  assert.ok(valueIn(student, "limbeck_soft_target_requests_total", { code: "ok" }) > 0);
  assert.ok(valueIn(student, "limbeck_soft_target_request_seconds_count") > 0);
  assert.equal(valueIn(student, "limbeck_teacher_breakers", { state: "closed" }), 1);
  const ways = student.filter(({ name }) => name === "limbeck_exchange_received_bytes_total");
  assert.ok(ways.some(({ value }) => value > 0));
  assert.ok(valueIn(student, "limbeck_exchange_bus_bytes_per_second") > 0);
  const pull = { grpc_service: "limbeck.v1.Peer", grpc_method: "Pull" };
  assert.ok(valueIn(student, "grpc_client_msg_received_total", pull) > 0);
  assert.ok(valueIn(student, "grpc_server_msg_sent_total", pull) > 0);
  assert.equal(valueIn(student, "limbeck_gpu_utilisation_ratio", { gpu: "0" }), 0.37);
  assert.equal(valueIn(student, "limbeck_gpu_memory_used_bytes", { gpu: "0" }), 2 ** 30);

  const teacher = byWorker.get("teacher-1")!;
  assert.ok(valueIn(teacher, "limbeck_teacher_requests_total", { code: "ok" }) > 0);
  assert.ok(valueIn(teacher, "limbeck_teacher_batch_examples_count") > 0);
  assert.ok(valueIn(teacher, "limbeck_teacher_busy_seconds_total") > 0);
  assert.equal(valueIn(teacher, "limbeck_student_steps_total"), 0);
});
