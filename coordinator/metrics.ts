/**
 * The coordinator's metrics. Fed with what was announced and measured; workers are counted at scrape time. Only labels
 * with few values: no step, no example, no error text; every label set of a fixed list starts at zero.
 */
import { Counter, Gauge, Histogram, Registry } from "prom-client";
import { severities } from "../core/doctor/finding.ts";
import type { ProgressEvent } from "../core/events.ts";
import type { Stage } from "../core/stages.ts";
import type { Progress } from "./messages.ts";
import type { State } from "./state.ts";
import { jobStateOf, jobStates, workerState, workerStates } from "./status.ts";

const phases = ["data", "softTargets", "compute", "exchange", "apply"] as const;
const phaseLabels = {
  data: "data",
  softTargets: "soft_targets",
  compute: "compute",
  exchange: "exchange",
  apply: "apply",
} as const;
const losses = ["total", "hard", "soft"] as const;

export interface Metrics {
  readonly registry: Registry;
  announced(event: ProgressEvent): void;
  measured(progress: Progress, by: { readonly worker: string; readonly isLead: boolean }): void;
}

/** @param state the current state, asked for at every scrape */
export function createMetrics(build: string, stages: readonly Stage[], state: () => State): Metrics {
  const registers = [new Registry()];
  const registry = registers[0]!;
  const gauge = <L extends string>(name: string, help: string, labelNames: readonly L[] = []) =>
    new Gauge({ name, help, labelNames, registers });
  const counter = <L extends string>(name: string, help: string, labelNames: readonly L[] = []) =>
    new Counter({ name, help, labelNames, registers });

  gauge("limbeck_build_info", "Build of Limbeck; always 1.", ["version"]).set({ version: build }, 1);
  const term = gauge("limbeck_term", "Number of the current membership; 0 before the first.");
  const step = gauge("limbeck_step", "Optimizer updates applied in the stage.", ["stage"]);
  const stepsPlanned = gauge("limbeck_steps_planned", "Optimizer updates the stage will have.", ["stage"]);
  const loss = gauge("limbeck_loss_nats", "Mean loss over the last reported steps.", ["stage", "kind"]);
  const accuracy = gauge("limbeck_training_accuracy_ratio", "Training accuracy over the last reported steps.", [
    "stage",
  ]);
  const agreement = gauge("limbeck_teacher_agreement_ratio", "Share of examples where student and teacher agree.", [
    "stage",
  ]);
  const evaluationErrors = gauge("limbeck_evaluation_errors", "Errors in the last evaluation.", ["stage"]);
  const evaluationAccuracy = gauge("limbeck_evaluation_accuracy_ratio", "Accuracy in the last evaluation.", ["stage"]);
  const samples = counter("limbeck_samples_total", "Training examples consumed by all students.", ["stage"]);
  const checkpoints = counter("limbeck_checkpoints_total", "Checkpoints written.", ["stage"]);
  const softTargets = counter("limbeck_soft_target_requests_total", "Soft targets that students needed.");
  const softTargetsCached = counter("limbeck_soft_targets_cached_total", "Of them, those that were on disk.");
  const softTargetBytes = counter("limbeck_soft_target_bytes_total", "Bytes of logits that students received.");
  const softTargetInputBytes = counter("limbeck_soft_target_input_bytes_total", "Bytes of inputs that students sent.");
  const hedged = counter("limbeck_soft_target_hedges_total", "Requests that a second teacher was asked for, too.");
  const askedAgain = counter("limbeck_soft_target_retries_total", "Requests that came to nothing with a teacher.");
  const payloadError = gauge(
    "limbeck_soft_target_error_nats",
    "KL(true || decoded) of softened distributions, the mean of the last sample: what the format costs.",
  );
  const waited = counter("limbeck_soft_target_wait_seconds_total", "Time a student waited for teachers.", ["worker"]);
  const lost = counter("limbeck_workers_lost_total", "Workers that died, fell silent or were thrown out.");
  const leftInOrder = counter("limbeck_workers_left_total", "Workers that handed their work over and left.");
  const refused = counter("limbeck_workers_refused_total", "Workers that were not let in.");
  const roleChanges = counter("limbeck_role_changes_total", "Workers that got another role.", ["role"]);
  const terms = counter("limbeck_terms_total", "Memberships opened; planned where nobody died.", ["planned"]);
  const skipped = counter("limbeck_lanes_not_finite_total", "Lanes whose gradient was not finite.", ["stage"]);
  const damaged = counter("limbeck_payloads_damaged_total", "Payloads that came damaged and were fetched again.");
  const diverged = counter("limbeck_replicas_diverged_total", "Replicas that differed from the others.");
  const passedOver = counter("limbeck_checkpoints_passed_over_total", "Checkpoints found damaged when resuming.");
  const recoveries = counter("limbeck_coordinator_recoveries_total", "Times this coordinator replayed its journal.");
  const seconds = new Histogram({
    name: "limbeck_step_phase_seconds",
    help: "Wall time of a training step by phase, the mean of each report of a student.",
    labelNames: ["phase"],
    buckets: [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
    registers,
  });

  for (const stage of stages) {
    for (const each of [step, stepsPlanned, samples, checkpoints, skipped]) {
      if (each instanceof Counter) each.inc({ stage }, 0);
      else each.set({ stage }, 0);
    }
  }
  for (const planned of ["true", "false"]) terms.inc({ planned }, 0);
  for (const role of ["student", "teacher"]) roleChanges.inc({ role }, 0);
  for (const phase of phases) seconds.zero({ phase: phaseLabels[phase] });
  watchWorkers(registers, state);
  watchJob(registers, state);
  watchDoctor(registers, state);

  return {
    registry,
    announced(event) {
      switch (event.kind) {
        case "term-opened":
          terms.inc({ planned: String(event.planned) });
          return term.set(event.term);
        case "stage-started":
          return stepsPlanned.set({ stage: event.stage }, event.steps);
        case "stepped": {
          const { stage } = event;
          const values = { total: event.loss, hard: event.hardLoss, soft: event.softLoss };
          for (const kind of losses) if (values[kind] !== null) loss.set({ stage, kind }, values[kind]);
          if (event.agreement !== null) agreement.set({ stage }, event.agreement);
          accuracy.set({ stage }, event.accuracy);
          return step.set({ stage }, event.step);
        }
        case "evaluated":
          evaluationErrors.set({ stage: event.stage }, event.score.errors);
          return evaluationAccuracy.set({ stage: event.stage }, event.score.accuracy);
        case "checkpointed":
          return checkpoints.inc({ stage: event.stage });
        case "worker-lost":
          return lost.inc();
        case "role-changed":
          return roleChanges.inc({ role: event.role });
        case "worker-left":
          return leftInOrder.inc();
        case "worker-refused":
          return refused.inc();
        case "step-skipped":
          return skipped.inc({ stage: event.stage });
        case "payload-damaged":
          return damaged.inc();
        case "replica-diverged":
          return diverged.inc();
        case "checkpoint-passed-over":
          return passedOver.inc();
        case "coordinator-recovered":
          term.set(event.term);
          return recoveries.inc();
        default:
          return;
      }
    },
    measured(progress, { worker, isLead }) {
      // Each student its own lanes: together they are the global batches. The lead's sums would count them again.
      samples.inc({ stage: progress.stage }, progress.examples);
      softTargets.inc(progress.softTargets);
      softTargetsCached.inc(progress.softTargetsCached);
      softTargetBytes.inc(progress.softTargetBytes);
      softTargetInputBytes.inc(progress.softTargetInputBytes);
      hedged.inc(progress.hedged);
      askedAgain.inc(progress.askedAgain);
      if (progress.payloadError?.examples) payloadError.set(progress.payloadError.sum / progress.payloadError.examples);
      waited.inc({ worker }, progress.phases.softTargets);
      if (!isLead) return;
      for (const phase of phases) {
        seconds.observe({ phase: phaseLabels[phase] }, progress.phases[phase] / progress.steps);
      }
    },
  };
}

/** Counted when asked, from the state itself: a worker that left leaves no series behind. */
function watchWorkers(registers: Registry[], current: () => State): void {
  new Gauge({
    name: "limbeck_workers",
    help: "Workers with a session.",
    labelNames: ["role", "state"],
    registers,
    collect() {
      const state = current();
      for (const role of ["student", "teacher"]) for (const each of workerStates) this.set({ role, state: each }, 0);
      if (state.kind === "ended") return;
      for (const worker of state.workers) this.inc({ role: worker.role, state: workerState(state, worker) });
    },
  });
  new Gauge({
    name: "limbeck_worker_resident_bytes",
    help: "Resident memory of a worker, as it last reported.",
    labelNames: ["worker"],
    registers,
    collect() {
      const state = current();
      this.reset();
      if (state.kind === "ended") return;
      for (const { name, status } of state.workers) this.set({ worker: name }, status.residentBytes);
    },
  });
}

/** One series per state, 1 for the current; a job that is paused gathers after it has begun. */
function watchJob(registers: Registry[], current: () => State): void {
  new Gauge({
    name: "limbeck_job_state",
    help: "1 for the state the job is in.",
    labelNames: ["state"],
    registers,
    collect() {
      const state = current();
      for (const each of jobStates) this.set({ state: each }, Number(each === jobStateOf(state)));
    },
  });
}

/** From the state, so that a coordinator that was started again has them, too. */
function watchDoctor(registers: Registry[], current: () => State): void {
  new Gauge({
    name: "limbeck_doctor_findings",
    help: "Checks of the doctor by what their newest finding is.",
    labelNames: ["severity"],
    registers,
    collect() {
      const state = current();
      for (const severity of severities) this.set({ severity }, 0);
      const findings = "course" in state ? (state.course?.doctor ?? []) : [];
      for (const { severity } of findings) this.inc({ severity });
    },
  });
}
