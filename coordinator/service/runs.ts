/** The jobs that this process decides, each with its own journal, records and metrics; and those that are over, as their folders have them. */
import { join } from "node:path";
import { Registry } from "prom-client";
import { asLimbeckError, type LimbeckError } from "../../core/errors.ts";
import type { Report } from "../../core/report.ts";
import { packageVersion } from "../../proto/package.ts";
import { exposition } from "../../proto/telemetry/exposition.ts";
import type { Page } from "../../proto/telemetry/http.ts";
import type { Log } from "../../proto/telemetry/log.ts";
import { type JobRun, openJobRun, type Wire } from "../jobrun.ts";
import type { JournalRecord } from "../journalrecord.ts";
import { depotPatience, standbyPatience, usualPatience } from "../patience.ts";
import type { Outcome, Plan } from "../state.ts";
import type { Served } from "../status.ts";
import type { Journal, Leadership } from "../store.ts";
import { type Kept, openKept } from "./kept.ts";
import { Opening, openingText } from "./opening.ts";
import type { JobSummary, QueuedJob } from "./vocabulary.ts";

export interface RunsParts {
  readonly leadership: Leadership;
  /** Folder of the service; jobs/<id> in it are the run folders. */
  readonly folder: string;
  readonly served: () => Served;
  /** URL of the depot; null where all share the folder. */
  readonly depot: string | null;
  readonly log: Log;
  readonly now: () => number;
  /** How long the store may take to empty a journal. */
  readonly retirePatienceMs?: number | undefined;
  /** Told when a job that was being opened has its loop. */
  readonly opened: () => void;
  /** Told when it has a loop no more: what was said to it last, nobody heard. */
  readonly over: (job: string) => void;
  /** The store says that another process decides, or takes nothing. */
  readonly deposed: (error: LimbeckError) => void;
}

/** L7. Decisions wait for it. */
const usualRetirePatienceMs = 15_000;

export interface OpenRun extends JobRun {
  readonly metrics: (accept: string) => Promise<Page>;
}

export interface Ended {
  readonly outcome: "done" | "failed" | "stopped";
  readonly why: string;
  readonly summary: JobSummary | null;
}

export class Runs {
  readonly #parts: RunsParts;
  readonly #runs = new Map<string, OpenRun>();
  readonly #openings = new Map<string, Opening>();

  constructor(parts: RunsParts) {
    this.#parts = parts;
  }

  /** By id: those that run. */
  get all(): ReadonlyMap<string, OpenRun> {
    return this.#runs;
  }

  /** Of a job: why it is as it is; while its records are being opened, that. */
  whyOf({ id, why }: Pick<QueuedJob, "id" | "why">): string {
    return this.#openings.has(id) ? openingText : why;
  }

  /** Where what happens to a job goes; undefined where it has no loop, and will have none. */
  hearing(job: string): Pick<JobRun, "happen" | "term"> | undefined {
    return this.#runs.get(job) ?? this.#openings.get(job);
  }

  /**
   * Opens what the job has, and begins: beside all else, for its store may be slow.
   * @param ended called once, when it is over or cannot begin; not where the store takes nothing more from this process
   */
  start(job: QueuedJob, wire: Wire, ended: (how: Ended) => void): void {
    const opening = new Opening();
    this.#openings.set(job.id, opening);
    this.#open(job, { opening, wire, ended }).catch((thrown) => {
      this.#openings.delete(job.id);
      const error = asLimbeckError(thrown);
      if (error.code === "stale_term") return this.#parts.deposed(error);
      this.#parts.over(job.id);
      ended({ outcome: "failed", why: `it could not begin: ${error.message}`, summary: null });
    });
  }

  /**
   * Empties the journal of a job that is over; its fence stays. What cannot be taken out is told, and stays for the next
   * leader.
   * @returns whether those of others can be, as far as this one shows
   * @throws LimbeckError `stale_term` where another leads
   */
  async retire(job: string): Promise<boolean> {
    const { leadership, log, retirePatienceMs = usualRetirePatienceMs } = this.#parts;
    const patience = AbortSignal.timeout(retirePatienceMs);
    try {
      const journal = await leadership.journal<JournalRecord>(job, patience);
      await journal.compact([]).finally(() => journal.close());
      return true;
    } catch (thrown) {
      const { code, message } = asLimbeckError(thrown);
      if (code === "stale_term") throw thrown;
      const why = patience.aborted ? `the store did not take it for ${retirePatienceMs / 1000} s` : message;
      log.warn({ event: "not-retired", job }, `the journal of ${job}, which is over, stays as it is: ${why}`);
      return code === "corrupt";
    }
  }

  async #open(job: QueuedJob, { opening, wire, ended }: Opened): Promise<void> {
    const journal = await this.#journalOf(job);
    if (journal === null) return;
    const runFolder = jobFolder(this.#parts.folder, job.id);
    const kept = await openKept(job, { ...this.#parts, journal, runFolder });
    try {
      await this.#mayDecide();
      this.#begin(job, { kept, opening, wire, ended, runFolder });
    } catch (thrown) {
      await kept.close();
      throw thrown;
    }
  }

  /** null where the store gives it to nobody, or to another: nothing is decided here any more, and the job is not over. */
  async #journalOf({ id }: QueuedJob): Promise<Journal<JournalRecord> | null> {
    try {
      return await this.#parts.leadership.journal<JournalRecord>(id);
    } catch (thrown) {
      const error = asLimbeckError(thrown);
      if (error.code !== "stale_term" && error.code !== "unavailable") throw error;
      this.#openings.delete(id);
      this.#parts.deposed(error);
      return null;
    }
  }

  readonly #mayDecide = async () => {
    const { leadership } = this.#parts;
    if (!leadership.holds()) await leadership.held();
  };

  #begin({ id, job, sources: code }: QueuedJob, { kept, opening, wire, ended, runFolder }: Beginning): void {
    const { served, log, now, opened, over, deposed } = this.#parts;
    const sources = [...code];
    const { place } = kept;
    const plan: Plan = {
      ...{ id, job, sources, jobFolder: runFolder, runFolder, ...(place && { depot: place }) },
      ...{ build: packageVersion, heartbeatMs: 250, predicted: null },
      patience: { ...usualPatience, ...standbyPatience, ...(place && depotPatience) },
    };
    const registry = new Registry();
    const { journal, records } = kept;
    const told = log.child({ job: id });
    const own = { plan, journal, records, registry, wire, served };
    const run = openJobRun({ ...own, mayDecide: this.#mayDecide, log: told, now });
    const metrics = exposition(registry, () => run.refreshMetrics());
    this.#openings.delete(id);
    this.#runs.set(id, { ...run, metrics });
    opening.deliver(run);
    opened();
    void run.begin().then(async (parting) => {
      this.#runs.delete(id);
      over(id);
      run.feed.close();
      await kept.close();
      if (parting.kind === "left") deposed(parting.error);
      else ended(endedOf(parting));
    });
  }
}

interface Opened {
  readonly opening: Opening;
  readonly wire: Wire;
  readonly ended: (how: Ended) => void;
}

interface Beginning extends Opened {
  readonly kept: Kept;
  readonly runFolder: string;
}

export function jobFolder(folder: string, job: string): string {
  return join(folder, "jobs", job);
}

function endedOf(outcome: Outcome): Ended {
  switch (outcome.kind) {
    case "done":
      return { outcome: "done", why: "the job is done", summary: summaryOf(outcome.report) };
    case "failed":
      return { outcome: "failed", why: outcome.error.message, summary: null };
    case "stopped":
      return { outcome: "stopped", why: outcome.why, summary: null };
  }
}

function summaryOf({ student, teacher, baseline, verdict, summary }: Report): JobSummary {
  const errors = { teacherErrors: teacher.test.errors, studentErrors: student.test.errors };
  const weights = { weightsSha256: student.weightsSha256, verdict, summary };
  return { ...errors, baselineErrors: baseline?.test.errors ?? null, ...weights };
}
