/** Shows a job's events until it ends, across the deaths of its coordinator. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { LimbeckError } from "../core/errors.ts";
import type { ProgressEvent } from "../core/events.ts";
import type { CoordinatorClient } from "../proto/clients.ts";
import { type Deaths, endedSoon } from "./deaths.ts";
import type { Display } from "./display.ts";
import type { Supervised } from "./supervisor.ts";

export interface Watched {
  readonly client: CoordinatorClient;
  /** Events to pass over. */
  readonly from: number;
  /** Aborts when the coordinator will not come back, with why. */
  readonly gone: AbortSignal;
  readonly processes: readonly Supervised[];
  readonly deaths: Deaths;
  readonly display: Display;
  readonly folder: string;
  /** The folder as messages name it. */
  readonly shown: string;
}

export interface Feed {
  readonly client: CoordinatorClient;
  /** Events to pass over. */
  readonly from: number;
  /** Aborts when it is no longer waited for. */
  readonly until: AbortSignal;
  readonly display: Display;
  /** Called each time the coordinator is found gone. */
  readonly onAway?: () => void;
  readonly onEvent?: (event: ProgressEvent) => void;
  /** The last event that is wanted now, though the feed goes on. */
  readonly isEnough?: (event: ProgressEvent) => boolean;
}

/** Shows the events of a job to the end of its feed. @returns the last of them, and its number; null where there is none */
export async function showFeed(feed: Feed): Promise<{ readonly last: ProgressEvent | null; readonly number: number }> {
  const { client, from, until, display, onAway = () => {}, onEvent = () => {}, isEnough = () => false } = feed;
  let last: ProgressEvent | null = null;
  let number = from;
  // L7: what ends the wait is the job's end, or who aborts.
  for await (const [event, its] of client.watchNumbered({ from, patientUntil: until, onAway })) {
    onEvent(event);
    display.show(event);
    last = event;
    number = its;
    if (isEnough(event)) break;
  }
  return { last, number };
}

/** Throws where the job did not end well, with what is known of a process that died. */
export async function watchJob(watched: Watched): Promise<void> {
  const { client, from, gone, processes, deaths, display, folder, shown } = watched;
  let last: ProgressEvent | null = null;
  let lost: Supervised | undefined;
  try {
    const onEvent = (event: ProgressEvent) => {
      if (event.kind === "worker-lost") lost = processes.find(({ name }) => name === event.worker);
      if (event.kind === "stepped") deaths.progressed();
    };
    // L7: what ends the wait is the job's end, or that of the coordinator's last life.
    ({ last } = await showFeed({ client, from, until: gone, display, onEvent }));
  } catch (thrown) {
    // Killed between its last file and its last event: its next life found nothing to do.
    if (gone.aborted && existsSync(join(folder, "report.json"))) return;
    throw deaths.reason() ?? thrown;
  } finally {
    deaths.end();
  }
  switch (last?.kind) {
    case "job-finished":
      return;
    case "job-failed": {
      const ended = lost && (await endedSoon(lost.child));
      const isPlain = !ended || ended.exitCode === 0;
      throw new LimbeckError(last.code, isPlain ? last.message : `${last.message}; it ${ended.how}`);
    }
    case "job-stopped":
      throw (
        deaths.reason() ??
        new LimbeckError("stopped", `stopped before the end: ${last.why}; what was done lies in ${shown}`)
      );
    default:
      throw new LimbeckError("unavailable", "the coordinator ended the feed of events before the job");
  }
}
