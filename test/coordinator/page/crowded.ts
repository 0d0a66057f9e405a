/** The page's files and stream on a port of their own, with a job that is made up: as long and with as many workers as a test wants. */
import type { TestContext } from "node:test";
import { EventLog } from "../../../coordinator/eventlog.ts";
import { nothingYet } from "../../../coordinator/latest.ts";
import { Feed } from "../../../coordinator/page/feed.ts";
import { pageFiles } from "../../../coordinator/page/files.ts";
import type { JobStatus, WorkerStatus } from "../../../coordinator/status.ts";
import type { ProgressEvent, ProgressEventBody } from "../../../core/events.ts";
import { type Handler, servePages } from "../../../proto/telemetry/http.ts";
import { loopback } from "../sessions.ts";

export const steps = 100_000;
const startedMs = Date.UTC(2026, 0, 1);

export function at(seconds: number, body: ProgressEventBody): ProgressEvent {
  return { ...body, atMs: startedMs + 1_000 * seconds };
}

export function started(lanes: number): ProgressEvent {
  return at(0, {
    ...{ kind: "job-started", name: "crowd", seed: 1, numerics: "exact", lanes, laneBatch: 8 },
    ...{ students: lanes, teachers: 1, stages: ["teach", "distil"] },
  });
}

export function stepped(step: number): ProgressEvent {
  const loss = 0.2 + 2 / Math.sqrt(step) + 0.1 * Math.sin(step * 12.9898);
  return at(step, {
    ...{
      kind: "stepped",
      stage: "distil",
      step,
      steps,
      epoch: step / 100,
      epochs: steps / 100,
      samplesPerSecond: 5_000,
    },
    ...{ loss, hardLoss: loss, softLoss: 2 * loss, accuracy: 1 - loss / 3, agreement: 1 - loss / 4, learningRate: 0.1 },
    ...{
      etaSeconds: steps - step,
      phases: { data: 0.01, softTargets: 0.01, compute: 0.05, exchange: 0.02, apply: 0.01 },
    },
  });
}

export function warned(seconds: number, why: string): ProgressEvent {
  return at(seconds, { kind: "worker-warned", worker: "worker-7", why });
}

function worker(number: number, step: number): WorkerStatus {
  const isTeacher = number % 10 === 0;
  return {
    ...{ worker: `worker-${number}`, role: isTeacher ? "teacher" : "student", auto: true, state: "working" },
    ...{ doing: isTeacher ? "serves soft targets" : `distil step ${step}`, waitingFor: "", step, residentBytes: 3e8 },
    ...{ secondsWaitedForTeachers: 0, lastHeartbeatMs: 100, address: "", http: "", pid: number, engine: "wasm on cpu" },
    ...{ firstLane: number - 1 - Math.floor(number / 10), lanes: isTeacher ? 0 : 1 },
    ...{ secondsPerLane: 0.01, servesPerSecond: isTeacher ? 900 : null, queuedExamples: isTeacher ? 64 : 0 },
  };
}

export function statusOf(workers: number, step: number): JobStatus {
  return {
    ...{ job: "crowd", state: "running", stage: "distil", term: 3, step, steps, waitingFor: [], deadlineMs: 1 },
    ...{ why: "distil ends when all its students are done", split: null, softTargets: null },
    ...{ ...nothingYet, outcome: null, http: { address: "", paths: [] } },
    workers: Array.from({ length: workers }, (_, at) => worker(at + 1, step)),
  };
}

/** @param heed what becomes of a request for the stream */
export async function serveCrowd(
  t: TestContext,
  events: readonly ProgressEvent[],
  { status, heed = (_, __, open) => open() }: { status: () => JobStatus; heed?: Heed },
): Promise<{ address: string; log: EventLog; feed: Feed }> {
  const log = new EventLog(events);
  const feed = new Feed(log, status);
  const open: Handler = (request, response, asked) =>
    heed(request, response, () => feed.open(request, response, asked));
  const http = await servePages(loopback, {}, { handlers: { ...pageFiles(), "/events": open } });
  t.after(async () => {
    feed.close();
    await http.close();
  });
  return { address: http.address, log, feed };
}

type Heed = (request: Parameters<Handler>[0], response: Parameters<Handler>[1], open: () => void) => void;
