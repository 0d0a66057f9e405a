/**
 * The coordinator's metrics, as core/metrics/coordinator.ts defines them. What happens is counted when it is announced
 * or measured; what the state knows is read from it at every scrape, so a worker that has gone leaves no series behind.
 */
import type { Registry } from "prom-client";
import { severities } from "../core/doctor/finding.ts";
import type { ProgressEvent } from "../core/events.ts";
import type { Job } from "../core/job.ts";
import { coordinatorMetrics } from "../core/metrics/coordinator.ts";
import { jobStates, workerStates } from "../core/shownstates.ts";
import type { Stage } from "../core/stages.ts";
import { studentsGiven } from "../core/studentrange.ts";
import { type MetricsOf, register } from "../proto/telemetry/registry.ts";
import type { Progress } from "./messages.ts";
import type { State } from "./state.ts";
import { jobStateOf, workerState } from "./status.ts";

type Families = MetricsOf<typeof coordinatorMetrics>;

export interface Metrics {
  announced(event: ProgressEvent): void;
  measured(progress: Progress, by: { readonly isLead: boolean }): void;
  /** @param writing is done when a decision is on disk in the journal */
  journalling(writing: Promise<void>): Promise<void>;
  /** Before a scrape. */
  refresh(state: State): void;
}

export interface Measured {
  readonly job: Job;
  readonly stages: readonly Stage[];
  /** Unix time in milliseconds. */
  readonly now: () => number;
}

export function createMetrics(registry: Registry, { job, stages, now }: Measured): Metrics {
  const families = register(registry, coordinatorMetrics);
  families.jobInfo.set({ limbeck_job: job.name, numerics: job.numerics }, 1);
  families.leader.set(1);
  families.leaderStarted.set(now() / 1_000);
  families.term.set(0);
  families.workersWanted.set({ role: "student" }, studentsGiven(job.workers).min);
  families.workersWanted.set({ role: "teacher" }, job.workers.teachers);
  for (const stage of stages) families.step.set({ stage }, 0);
  const events = new EventCounts(families, now);
  return {
    announced: (event) => events.count(event),
    measured(progress, { isLead }) {
      // Each student its own lanes: together they are the global batches. The lead's sums would count them again.
      families.samples.inc({ stage: progress.stage }, progress.examples);
      events.stepped();
      if (isLead) measureSteps(families, progress, { job, now });
    },
    async journalling(writing) {
      const startedMs = performance.now();
      try {
        await writing;
        families.journalled.observe((performance.now() - startedMs) / 1_000);
      } catch (thrown) {
        families.journalFailures.inc();
        throw thrown;
      }
    },
    refresh(state) {
      for (const each of jobStates) families.jobState.set({ state: each }, Number(each === jobStateOf(state)));
      if ("startedMs" in state) families.jobStarted.set(state.startedMs / 1_000);
      showWorkers(families, state);
      showDoctor(families, state);
    },
  };
}

/** What is counted and set as it is announced. */
class EventCounts {
  readonly #families: Families;
  readonly #now: () => number;
  /** When a fault took the job out of its steps, Unix time in milliseconds; null while it goes well. */
  #faultMs: number | null = null;
  /** The last step that was skipped: each lane that is not finite announces it. */
  #skipped = "";

  constructor(families: Families, now: () => number) {
    this.#families = families;
    this.#now = now;
  }

  /** A student has reported steps: whatever went wrong before is over. */
  stepped(): void {
    if (this.#faultMs === null) return;
    this.#families.recovery.observe((this.#now() - this.#faultMs) / 1_000);
    this.#faultMs = null;
  }

  count(event: ProgressEvent): void {
    const families = this.#families;
    switch (event.kind) {
      case "term-opened":
        families.terms.inc({ reason: event.reason });
        if (event.reason === "lost" || event.reason === "diverged") this.#faultMs ??= event.atMs;
        if (event.reason === "stage") this.#faultMs = null; // There was no step left to be taken.
        families.term.set(event.term);
        return;
      case "job-paused":
        this.#faultMs ??= event.atMs;
        return;
      case "stepped":
        showStep(families, event);
        return;
      case "evaluated": {
        const { stage, score } = event;
        families.evaluationErrors.set({ stage }, score.errors);
        families.evaluationLoss.set({ stage }, score.crossEntropy);
        families.evaluationAccuracy.set({ stage }, score.accuracy);
        return;
      }
      case "checkpointed": {
        const { stage, bytes, atMs } = event;
        families.checkpointBytes.set({ stage }, bytes);
        families.checkpointAt.set({ stage }, atMs / 1_000);
        families.checkpoints.inc({ stage });
        return;
      }
      case "worker-joined":
        families.joined.inc({ role: event.role });
        return;
      case "worker-lost":
        families.detection.observe(event.silentMs / 1_000);
        families.lost.inc();
        return;
      case "worker-left":
        families.left.inc();
        return;
      case "worker-refused":
        families.refused.inc();
        return;
      case "role-changed":
        families.roleChanges.inc({ role: event.role });
        return;
      case "step-skipped": {
        const { stage, step } = event;
        if (this.#skipped !== `${stage}/${step}`) families.nonFinite.inc({ stage });
        this.#skipped = `${stage}/${step}`;
        return;
      }
      case "payload-damaged":
        families.damaged.inc();
        return;
      case "replica-diverged":
        families.diverged.inc();
        return;
      case "checkpoint-passed-over":
        families.checkpointsPassedOver.inc();
        return;
      case "coordinator-recovered":
        families.term.set(event.term);
        families.recoveries.inc();
        return;
      default:
        return;
    }
  }
}

function showStep(families: Families, event: Extract<ProgressEvent, { kind: "stepped" }>): void {
  const { stage, step, steps } = event;
  families.step.set({ stage }, step);
  families.stepsPlanned.set({ stage }, steps);
  families.progress.set({ stage }, step / steps);
  families.eta.set({ stage }, event.etaSeconds);
  families.loss.set({ stage, component: "total" }, event.loss);
  families.loss.set({ stage, component: "hard" }, event.hardLoss);
  if (event.softLoss !== null) families.loss.set({ stage, component: "soft" }, event.softLoss);
  if (event.agreement !== null) families.agreement.set({ stage }, event.agreement);
  families.accuracy.set({ stage }, event.accuracy);
  families.learningRate.set({ stage }, event.learningRate);
}

/** The lead's report: of the global batches, and of the replica, which is the same everywhere. */
function measureSteps(families: Families, progress: Progress, { job, now }: Pick<Measured, "job" | "now">): void {
  const { stage, steps, consumed, metrics, gradientNorm } = progress;
  families.steps.inc({ stage }, steps);
  families.lastStep.set({ stage }, now() / 1_000);
  if (stage === "distil") families.temperature.set({ stage }, job.distil.temperature);
  if (metrics.examples > 0) families.gradientNorm.set({ stage }, gradientNorm);
  if (!consumed) return;
  families.ledgerDuplicates.set({ stage }, consumed.duplicated);
  families.ledgerGaps.set({ stage }, consumed.missing);
}

function showWorkers(families: Families, state: State): void {
  const { workers, workerInfo, workerStep, workerLanes, workerLaneSeconds, workerHeard, workerMemory } = families;
  for (const each of [workerInfo, workerStep, workerLanes, workerLaneSeconds, workerHeard, workerMemory]) each.reset();
  for (const role of ["student", "teacher"]) for (const each of workerStates) workers.set({ role, state: each }, 0);
  if (state.kind === "ended") return;
  for (const each of state.workers) {
    const { name: worker, role, http, status, heardMs } = each;
    workers.inc({ role, state: workerState(state, each) });
    workerInfo.set({ worker, role, http }, 1);
    workerStep.set({ worker }, status.step);
    workerHeard.set({ worker }, heardMs / 1_000);
    workerMemory.set({ worker }, status.residentBytes);
  }
  if (!("laneSeconds" in state)) return;
  const isHere = new Set(state.workers.map(({ name }) => name));
  for (const [worker, seconds] of state.laneSeconds) if (isHere.has(worker)) workerLaneSeconds.set({ worker }, seconds);
  if (!("deal" in state)) return;
  for (const { worker, lanes } of state.deal) if (isHere.has(worker)) workerLanes.set({ worker }, lanes);
}

/** From the state, so that a coordinator that was started again has them, too. */
function showDoctor({ doctorFindings }: Families, state: State): void {
  for (const severity of severities) doctorFindings.set({ severity }, 0);
  const findings = "course" in state ? (state.course?.doctor ?? []) : [];
  for (const { severity } of findings) doctorFindings.inc({ severity });
}
