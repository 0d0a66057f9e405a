/** The jobs that this process decides, each with its own journal, records and metrics; and those that are over, as their folders have them. */
import { join } from "node:path";
import { Registry } from "prom-client";
import { asLimbeckError } from "../../core/errors.ts";
import type { Report } from "../../core/report.ts";
import { packageVersion } from "../../proto/package.ts";
import { exposition } from "../../proto/telemetry/exposition.ts";
import type { Page } from "../../proto/telemetry/http.ts";
import type { Log } from "../../proto/telemetry/log.ts";
import { type JobRun, openJobRun, type Wire } from "../jobrun.ts";
import { depotPatience, standbyPatience, usualPatience } from "../patience.ts";
import type { Outcome, Plan } from "../state.ts";
import type { Served } from "../status.ts";
import type { Leadership } from "../store.ts";
import { type Kept, openKept } from "./kept.ts";
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
}

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

  constructor(parts: RunsParts) {
    this.#parts = parts;
  }

  /** By id: those that run. */
  get all(): ReadonlyMap<string, OpenRun> {
    return this.#runs;
  }

  /**
   * Opens what the job has, and begins. @param ended called once, when it is over; not where another process decides
   * @throws LimbeckError why it cannot begin
   */
  async start(job: QueuedJob, wire: Wire, ended: (how: Ended) => void): Promise<void> {
    const runFolder = jobFolder(this.#parts.folder, job.id);
    const kept = await openKept(job, { ...this.#parts, runFolder });
    try {
      await this.#begin(job, { kept, wire, ended, runFolder });
    } catch (thrown) {
      await kept.close();
      throw asLimbeckError(thrown);
    }
  }

  async #begin({ id, job, sources: code }: QueuedJob, { kept, wire, ended, runFolder }: Beginning): Promise<void> {
    const { leadership, served, log, now } = this.#parts;
    const sources = [...code];
    const { place } = kept;
    const plan: Plan = {
      ...{ id, job, sources, jobFolder: runFolder, runFolder, ...(place && { depot: place }) },
      ...{ build: packageVersion, heartbeatMs: 250, predicted: null },
      patience: { ...usualPatience, ...standbyPatience, ...(place && depotPatience) },
    };
    const registry = new Registry();
    const mayDecide = async () => {
      if (!leadership.holds()) await leadership.held();
    };
    const { journal, records } = kept;
    const told = log.child({ job: id });
    const run = openJobRun({ plan, journal, records, registry, wire, served, mayDecide, log: told, now });
    const metrics = exposition(registry, () => run.refreshMetrics());
    this.#runs.set(id, { ...run, metrics });
    void run.begin().then(async (outcome) => {
      this.#runs.delete(id);
      run.feed.close();
      await kept.close();
      if (!isDeposed(outcome)) ended(endedOf(outcome));
    });
  }
}

interface Beginning {
  readonly kept: Kept;
  readonly wire: Wire;
  readonly ended: (how: Ended) => void;
  readonly runFolder: string;
}

export function jobFolder(folder: string, job: string): string {
  return join(folder, "jobs", job);
}

/** Another process decides now: it knows how the job goes on. */
function isDeposed(outcome: Outcome): boolean {
  return outcome.kind === "failed" && outcome.error.code === "stale_term";
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
