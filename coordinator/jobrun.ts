/** One job's life in this process: what it records and shows, and the loop around `step` that decides. */
import { EventEmitter, on } from "node:events";
import type { Registry } from "prom-client";
import { asLimbeckError, type LimbeckError } from "../core/errors.ts";
import type { ProgressEvent } from "../core/events.ts";
import { planStages } from "../core/stages.ts";
import type { ToWorker } from "../proto/gen/limbeck/v1/ToWorker.ts";
import type { Log } from "../proto/telemetry/log.ts";
import { logEvent } from "./eventlines.ts";
import { EventLog } from "./eventlog.ts";
import { open } from "./gather.ts";
import type { JournalRecord } from "./journalrecord.ts";
import { nothingYet, withEvent } from "./latest.ts";
import { createMetrics } from "./metrics.ts";
import { Feed } from "./page/feed.ts";
import type { Records } from "./records.ts";
import { replay } from "./replay.ts";
import { type Performed, run } from "./run.ts";
import type { Event, Happening, Outcome, Plan, Refusal, State } from "./state.ts";
import { type JobStatus, type Served, statusOf } from "./status.ts";
import type { Journal } from "./store.ts";

/** How the job's workers are reached. */
export interface Wire {
  send(session: number, message: ToWorker): void;
  /** @param error what the worker is told; its session ends */
  refuse(session: number, error: LimbeckError, as: Refusal): void;
}

export interface JobRunParts {
  readonly plan: Plan;
  readonly journal: Journal<JournalRecord>;
  readonly records: Records;
  readonly registry: Registry;
  readonly wire: Wire;
  /** Where people and scripts look. */
  readonly served: () => Served;
  /** Resolves when this process may decide, at once where it may; rejects `stale_term` once another process does. */
  readonly mayDecide: () => Promise<void>;
  readonly log: Log;
  /** Unix time in milliseconds. */
  readonly now: () => number;
}

/** How it ended; `left`, and not over, where the store takes nothing more from this process. */
export type Parting = Outcome | { readonly kind: "left"; readonly error: LimbeckError };

export interface JobRun {
  readonly log: EventLog;
  readonly feed: Feed;
  happen(happening: Happening): void;
  /** The term that is decided about now; 0 before the first, and when the job is over. */
  term(): number;
  status(): JobStatus;
  /** Why it decides nothing now, in a sentence; empty where it decides. */
  trouble(): string;
  /** Before a scrape of the registry. */
  refreshMetrics(): void;
  /** Begins to decide, until it decides no more; never rejects. Records and journal are closed then. */
  begin(): Promise<Parting>;
}

const tickMs = 100;

/** A job at its beginning, or where its journal left it; what happens is kept until `begin`. */
export function openJobRun(parts: JobRunParts): JobRun {
  const { plan, journal, records, registry, wire, mayDecide, now, log: decisions } = parts;
  const isNew = journal.records.length === 0;
  const first = isNew ? open(plan, now()) : replay(plan, journal.records, now(), records.events);
  let state: State = first[0];
  let latest = records.events.reduce(withEvent, nothingYet);
  let trouble = "it has not begun to decide";
  let isKept = true;
  const happenings = new EventEmitter();
  const events = inOrder(on(happenings, "event") as AsyncIterableIterator<[Event]>);
  const happen = (happening: Happening) => void happenings.emit("event", { ...happening, atMs: now() });
  const log = new EventLog(records.events);
  const stages = planStages(plan.job, 1).map(({ stage }) => stage);
  const metrics = createMetrics(registry, { job: plan.job, stages, now });
  const status = () => statusOf(plan, state, { nowMs: now(), latest, http: parts.served() });

  const act = async (effect: Performed, next: State): Promise<void> => {
    switch (effect.kind) {
      case "send":
        return wire.send(effect.session, effect.message);
      case "refuse":
        return wire.refuse(effect.session, effect.error, effect.as);
      case "measure":
        return metrics.measured(effect.progress, effect.by);
      case "quarantine":
        return records.quarantine({ atMs: now(), worker: effect.worker, ...effect.skipped });
      case "record":
        return records.report(effect.report, log.events);
      case "announce":
        return await announced(effect.event, next);
    }
  };
  const keep = async (record: JournalRecord) => {
    await mayDecide();
    try {
      await metrics.journalling(journal.append(record));
    } catch (thrown) {
      isKept = false;
      throw thrown;
    }
  };
  const announced = (event: ProgressEvent, next: State) => {
    metrics.announced(event);
    logEvent(decisions, event, next);
    // On disk before it is shown: who watched goes on by number with the next life of the coordinator.
    return records.append(event).finally(() => {
      latest = withEvent(latest, event);
      log.append(event);
    });
  };
  const perform = async (effect: Performed, next: State) => {
    await mayDecide();
    try {
      await act(effect, next);
    } catch (thrown) {
      // The job stays over (run.ts): what it leaves out is told here only.
      if (next.kind === "ended") decisions.warn({ event: "not-kept" }, asLimbeckError(thrown).message);
      throw thrown;
    }
  };
  const show = (next: State) => {
    state = next;
  };

  return {
    log,
    feed: new Feed(log, status),
    happen,
    term: () => ("term" in state ? state.term : 0),
    status,
    trouble: () => trouble,
    refreshMetrics: () => metrics.refresh(state),
    async begin() {
      const clock = setInterval(() => happen({ kind: "tick" }), tickMs);
      try {
        if (isNew) await keep({ kind: "started", atMs: now(), build: plan.build });
        trouble = "";
        return await run(plan, first, { events, now, mayDecide, keep, perform, show });
      } catch (thrown) {
        const error = asLimbeckError(thrown);
        if (isKept && error.code !== "stale_term") return { kind: "failed", error };
        trouble = `what it decides cannot be kept: ${error.message}`;
        return { kind: "left", error };
      } finally {
        trouble ||= "the job is over";
        clearInterval(clock);
        await records.close().catch(() => {}); // What could not be written has been told.
        await journal.close();
        log.close();
      }
    },
  };
}

async function* inOrder(emitted: AsyncIterable<[Event]>): AsyncGenerator<Event> {
  for await (const [event] of emitted) yield event;
}
