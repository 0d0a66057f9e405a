/** A job in the middle of distilling, as its coordinator tells of it. */

import type { TopView } from "../../../cli/terminal/topview.ts";
import type { JobStatus, WorkerStatus } from "../../../coordinator/status.ts";
import type { ProgressEvent } from "../../../core/events.ts";

// Times of day are local.
process.env["TZ"] = "UTC";

export const noon = Date.UTC(2026, 2, 1, 12);

export function worker(changes: Partial<WorkerStatus> = {}): WorkerStatus {
  return {
    worker: "student-1",
    role: "student",
    auto: false,
    state: "working",
    doing: "distil: computes step 340",
    waitingFor: "",
    step: 340,
    lanes: 2,
    secondsPerLane: 0.0123,
    servesPerSecond: null,
    residentBytes: 200 * 2 ** 20,
    secondsWaitedForTeachers: 0.5,
    lastHeartbeatMs: 120,
    address: "127.0.0.1:40001",
    http: "127.0.0.1:40002",
    pid: 17,
    engine: "wasm on cpu",
    firstLane: 0,
    queuedExamples: 0,
    ...changes,
  };
}

const teacher: Partial<WorkerStatus> = {
  worker: "teacher-1",
  role: "teacher",
  doing: "serves soft targets",
  step: 0,
  lanes: 0,
  secondsPerLane: null,
  servesPerSecond: 12345.6,
};

const lost: ProgressEvent = {
  kind: "worker-lost",
  worker: "student-2",
  why: "its session broke off",
  silentMs: 40,
  atMs: noon - 60_000,
};

export function status(changes: Partial<JobStatus> = {}): JobStatus {
  const workers = [
    worker(teacher),
    worker({ worker: "student-10", waitingFor: "soft targets of teacher-1", secondsPerLane: 0.02 }),
    worker({ worker: "student-2", role: "student", auto: true, state: "joining", lanes: 0, step: 12 }),
    worker(),
  ];
  return {
    job: "mnist",
    state: "running",
    outcome: null,
    stage: "distil",
    term: 3,
    step: 340,
    steps: 1200,
    waitingFor: ["student-1 (distil: computes step 340)", "student-10 (waits for soft targets of teacher-1)"],
    why: "distil ends when all its students are done",
    deadlineMs: 120_000,
    split: null,
    softTargets: null,
    workers,
    http: { address: "127.0.0.1:7071", paths: ["/metrics", "/state"] },
    lastStep: {
      kind: "stepped",
      stage: "distil",
      step: 340,
      steps: 1200,
      epoch: 2.26,
      epochs: 8,
      samplesPerSecond: 5120.4,
      loss: 0.4321,
      hardLoss: 0.5,
      softLoss: 0.4,
      accuracy: 0.9512,
      agreement: 0.98,
      learningRate: 0.001,
      etaSeconds: 75,
      phases: { data: 0, softTargets: 0, compute: 0, exchange: 0, apply: 0 },
      atMs: noon - 300,
    },
    recentLosses: [0.9, 0.8, 0.6, 0.65, 0.5, 0.44, 0.4321],
    lastEvaluation: {
      kind: "evaluated",
      stage: "distil",
      step: 300,
      epoch: 2,
      score: { examples: 10_000, errors: 321, accuracy: 0.9679, crossEntropy: 0.1234 },
      atMs: noon - 5_000,
    },
    lastFault: lost,
    ...changes,
  };
}

const back: ProgressEvent = {
  kind: "worker-joined",
  worker: "student-2",
  role: "student",
  address: "127.0.0.1:40003",
  pid: 18,
  atMs: noon - 50_000,
};

export function view(changes: Partial<TopView> = {}): TopView {
  return { status: status(), events: [lost, back], away: null, ended: null, sort: "role", above: 0, ...changes };
}

/** So many students. */
export function crowd(count: number): WorkerStatus[] {
  return Array.from({ length: count }, (_, at) => worker({ worker: `student-${at + 1}`, step: 1000 + at }));
}
