/** A running coordinator, and which of its jobs is meant, as the commands meet them that ask something. */
import type { JobStatus } from "../coordinator/status.ts";
import { LimbeckError } from "../core/errors.ts";
import { type JobEntry, jobMeant, onlyJob } from "../core/jobentry.ts";
import { isAbsence } from "../proto/absence.ts";
import { type CoordinatorClient, connectCoordinator } from "../proto/clients.ts";
import { hostOf, reachedAt } from "../proto/endpoint.ts";
import { connectJobs, type Jobs } from "../proto/jobs.ts";
import { isUnimplemented } from "../proto/status.ts";
import type { Whereabouts } from "../proto/whereabouts.ts";
import { sayOfAbsence } from "./absence.ts";
import { type CoordinatorPlace, openPlace } from "./place.ts";

const natsDeadlineMs = 5_000;
const forAWhile = "15 s at the most";

export interface Addressed {
  readonly at: CoordinatorPlace;
}

/** A job of the coordinator. */
export interface Meant extends Addressed {
  /** An id, the beginning of one, or a name; undefined: the only one. */
  readonly job: string | undefined;
}

export interface AskedJob {
  readonly client: CoordinatorClient;
  readonly where: Whereabouts;
  /** null of a coordinator that has but one job. */
  readonly entry: JobEntry | null;
}

/**
 * Calls with a client of the job, and closes it.
 * @throws LimbeckError `unavailable`, with what to do, where no coordinator answers; `usage` where no job is meant, or several
 */
export function withJob<T>({ at, job }: Meant, ask: (asked: AskedJob) => Promise<T>): Promise<T> {
  return withPlaceOpen(at, async (where) => {
    const { away } = sayOfAbsence(forAWhile);
    const jobs = connectJobs(where, away);
    let client: CoordinatorClient | null = null;
    try {
      const entry = await entryMeant(jobs, job);
      client = connectCoordinator(where, entry?.id, away);
      if (!entry && job !== undefined) await checkName(client, job);
      return await ask({ client, where, entry });
    } finally {
      client?.close();
      jobs.close();
    }
  });
}

/** The same with a client of the service's jobs. */
export function withJobs<T>({ at }: Addressed, ask: (jobs: Jobs, where: Whereabouts) => Promise<T>): Promise<T> {
  return withPlaceOpen(at, async (where) => {
    const jobs = connectJobs(where, sayOfAbsence(forAWhile).away);
    try {
      return await ask(jobs, where);
    } catch (thrown) {
      if (!isUnimplemented(thrown)) throw thrown;
      const message = `the coordinator at ${where.address()} has but one job: only \`limbeck coordinator --state DIR\`, without a job file, takes others`;
      throw new LimbeckError("usage", message, { cause: thrown });
    } finally {
      jobs.close();
    }
  });
}

async function withPlaceOpen<T>(at: CoordinatorPlace, ask: (where: Whereabouts) => Promise<T>): Promise<T> {
  const say = (level: string, why: string) => void (level === "warn" && process.stderr.write(`limbeck: ${why}\n`));
  const where = await openPlace(at, { name: "limbeck command", deadlineMs: natsDeadlineMs }, say);
  try {
    await where.ready;
    return await ask(where);
  } catch (thrown) {
    if (!isAbsence(thrown)) throw thrown;
    const address = where.address();
    const problem = address === "" ? "" : await where.security.problem("coordinator", address);
    if (problem !== "") throw new LimbeckError("not_allowed", problem, { cause: thrown });
    const hint = at.kind === "addresses" ? "; name one with --coordinator HOST:PORT or LIMBECK_COORDINATOR" : "";
    throw new LimbeckError(thrown.code, `no coordinator answers at ${where.where}${hint}`, { cause: thrown });
  } finally {
    await where.close();
  }
}

async function entryMeant(jobs: Jobs, text: string | undefined): Promise<JobEntry | null> {
  let entries: readonly JobEntry[];
  try {
    entries = await jobs.list();
  } catch (thrown) {
    if (isUnimplemented(thrown)) return null;
    throw thrown;
  }
  return text === undefined ? onlyJob(entries) : jobMeant(entries, text);
}

async function checkName(client: CoordinatorClient, name: string): Promise<void> {
  const { job } = JSON.parse(await client.status()) as JobStatus;
  if (job === name) return;
  throw new LimbeckError("usage", `there is no job ${name}: the coordinator has but one, ${job}`);
}

/**
 * A coordinator that serves pages on all addresses has them where it was reached, too.
 * @param onWait instead of a line on stderr
 */
export async function askStatus(
  { client, where }: Pick<AskedJob, "client" | "where">,
  onWait?: () => void,
): Promise<JobStatus> {
  const status = JSON.parse(await client.status(onWait)) as JobStatus;
  const address = where.address();
  if (address === "") return status;
  return { ...status, http: { ...status.http, address: reachedAt(status.http.address, hostOf(address)) } };
}
