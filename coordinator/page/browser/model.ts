/** What the page knows: a copy of the coordinator's history, and how job and workers stand. */
import { History } from "../../../core/live/history.ts";
import type { Delta, JobRow, Snapshot, WorkerRow } from "../../../core/live/message.ts";

export interface Model {
  readonly history: History;
  readonly job: JobRow;
  readonly workers: ReadonlyMap<string, WorkerRow>;
}

export function modelOf({ history, job, workers }: Snapshot): Model {
  return { history: new History(history), job, workers: byName(workers) };
}

/** Events that the history has are not heard again. */
export function updated(model: Model, { events, next, job, workers, gone }: Delta): Model {
  const { history } = model;
  for (const [number, event] of events) {
    skipTo(history, number);
    if (number === history.facts.next) history.hear(event);
  }
  skipTo(history, next);
  const known = new Map(gone === null ? [] : model.workers);
  for (const worker of gone ?? []) known.delete(worker);
  for (const row of workers) known.set(row.worker, row);
  return { history, job: job ?? model.job, workers: known };
}

function skipTo(history: History, next: number): void {
  while (history.facts.next < next) history.hear(null);
}

function byName(workers: readonly WorkerRow[]): ReadonlyMap<string, WorkerRow> {
  return new Map(workers.map((row) => [row.worker, row]));
}
