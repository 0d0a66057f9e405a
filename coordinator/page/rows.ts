/** The status as the page is sent it: without what changes from moment to moment and is not seen. */
import type { JobRow, WorkerRow } from "../../core/live/message.ts";
import type { JobStatus, WorkerStatus } from "../status.ts";

/** Silence that is worth a word. */
const silentMs = 1_000;

/** Of what a job waits for, so much is told. */
const mostAwaited = 4;

export function jobRow({ split, waitingFor, ...status }: JobStatus): JobRow {
  const { job, state, stage, term, step, steps, why, softTargets } = status;
  const more = waitingFor.length - mostAwaited;
  const awaited = more > 0 ? [...waitingFor.slice(0, mostAwaited), `${more} more`] : waitingFor;
  const shownSplit = split && { students: split.students, teachers: split.teachers, why: split.why };
  return { job, state, stage, term, step, steps, why, softTargets, split: shownSplit, waitingFor: awaited };
}

export function workerRow(status: WorkerStatus): WorkerRow {
  const { worker, role, state, doing, waitingFor, step, engine, firstLane, lanes, queuedExamples } = status;
  const { residentBytes, secondsPerLane, servesPerSecond, lastHeartbeatMs } = status;
  return {
    ...{ worker, role, state, doing, waitingFor, step, engine, firstLane, lanes, queuedExamples },
    mebibytes: Math.round(residentBytes / (1 << 20)),
    millisecondsPerLane: secondsPerLane === null ? null : Number((1_000 * secondsPerLane).toPrecision(2)),
    examplesPerSecond: servesPerSecond === null ? null : Number(servesPerSecond.toPrecision(2)),
    silentSeconds: lastHeartbeatMs < silentMs ? 0 : Math.round(lastHeartbeatMs / 1_000),
  };
}
