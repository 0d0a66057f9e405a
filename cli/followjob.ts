/** A service's job from its queue to its end, on the screen of who submitted it. */
import { constants } from "node:os";
import { setTimeout } from "node:timers/promises";
import { unlessAborted } from "../core/aborted.ts";
import { LimbeckError } from "../core/errors.ts";
import type { ProgressEvent } from "../core/events.ts";
import type { JobEntry } from "../core/jobentry.ts";
import { type EntryState, isOver } from "../core/jobstate.ts";
import { plain } from "../core/plaintext.ts";
import { isAway } from "../proto/absence.ts";
import { type CoordinatorClient, connectCoordinator } from "../proto/clients.ts";
import { connectJobs, type Jobs } from "../proto/jobs.ts";
import type { Whereabouts } from "../proto/whereabouts.ts";
import { type Absence, sayOfAbsence } from "./absence.ts";
import type { Display } from "./display.ts";
import { showFeed } from "./watch.ts";

export interface Followed {
  readonly id: string;
  readonly where: Whereabouts;
  readonly display: Display;
  /** Options that name the coordinator in commands that are proposed. */
  readonly again: string;
}

/** Until it runs, and while it is paused, its state is asked for. */
const lookMs = { first: 200, longest: 2_000 };
const told: ReadonlySet<EntryState> = new Set(["queued", "pausing", "paused", "cancelling"]);

/**
 * Shows it over every change of the leader. Ctrl-C and SIGTERM end the showing and not the job: exit code 130 or 143.
 * @throws LimbeckError what it failed of, `stopped` where it was cancelled
 */
export async function followJob(followed: Followed): Promise<void> {
  const { id, where, display, again } = followed;
  const leaving = new AbortController();
  const leave = (signal: NodeJS.Signals) => leaving.abort(signal);
  process.once("SIGINT", leave).once("SIGTERM", leave);
  const absence = sayOfAbsence("Ctrl-C leaves the job as it is", () => display.close());
  const jobs = connectJobs(where, absence.away);
  const client = connectCoordinator(where, id);
  try {
    await showToItsEnd(followed, { jobs, client, absence, until: leaving.signal });
  } catch (thrown) {
    if (!leaving.signal.aborted) throw thrown;
    const signal = leaving.signal.reason as "SIGINT" | "SIGTERM";
    display.close();
    display.note(`${id} goes on without this command.`);
    display.note(`  limbeck logs ${id} -f${again}    limbeck cancel ${id}${again}`);
    process.exitCode = 128 + constants.signals[signal];
  } finally {
    process.off("SIGINT", leave).off("SIGTERM", leave);
    client.close();
    jobs.close();
  }
}

interface Asking {
  readonly jobs: Jobs;
  readonly client: CoordinatorClient;
  readonly absence: Absence;
  /** Aborts when the job is no longer followed. */
  readonly until: AbortSignal;
}

async function showToItsEnd(followed: Followed, asking: Asking): Promise<void> {
  const { display, again } = followed;
  const { client, absence, until } = asking;
  let from = 0;
  let last: ProgressEvent | null = null;
  let said = "";
  for (let look = 0; ; look++) {
    const entry = await lookAt(followed, asking);
    const { id, state, why } = entry;
    if (state === "running" || isOver(entry.state)) {
      const shown = await showFeed({
        ...{ client, from, until, display },
        onAway: absence.away,
        onEvent: absence.back,
        // Stopped and not over: it is paused, say, and the list says so.
        isEnough: ({ kind }) => kind === "job-stopped" && !isOver(entry.state),
      });
      if (shown.number > from) look = 0;
      from = shown.number;
      last = shown.last ?? last;
    }
    if (isOver(entry.state)) return end(followed, entry, last);
    const text = plain(`${id} is ${state}${why === "" ? "" : `: ${why}`}`);
    if (told.has(state) && text !== said) {
      display.note(text);
      if (state === "paused") display.note(`  limbeck resume ${id}${again}`);
      said = text;
    }
    const waitMs = Math.min(lookMs.longest, lookMs.first * 2 ** look);
    await setTimeout(waitMs, undefined, { signal: until });
  }
}

/** How the job is now; a coordinator that is away is waited for. */
async function lookAt({ id }: Followed, { jobs, absence, until }: Asking): Promise<JobEntry> {
  for (;;) {
    until.throwIfAborted();
    try {
      const entry = (await unlessAborted(jobs.list(), until)).find((each) => each.id === id);
      absence.back();
      if (entry) return entry;
      throw new LimbeckError("unavailable", `the coordinator no longer knows ${id}`);
    } catch (thrown) {
      if (!isAway(thrown)) throw thrown;
      absence.away();
    }
    await setTimeout(lookMs.first, undefined, { signal: until });
  }
}

function end({ display, again }: Followed, { id, state, why }: JobEntry, last: ProgressEvent | null): void {
  display.close();
  if (state === "done") display.note(`  limbeck artifacts ${id} --fetch ${id}${again}`);
  display.note(`  limbeck logs ${id}${again}`);
  display.note(`  limbeck status ${id}${again}`);
  if (state === "done") return;
  if (state === "cancelled")
    throw new LimbeckError("stopped", plain(`${id} was cancelled${why === "" ? "" : `: ${why}`}`));
  const error = last?.kind === "job-failed" ? last : { code: "unavailable" as const, message: why };
  throw new LimbeckError(error.code, `${id} failed: ${error.message}`);
}
