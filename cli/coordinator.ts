/** `limbeck coordinator`: the coordinator as a process of its own. */
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { recoverFolder } from "../coordinator/depot/recover.ts";
import { type Coordinator, type CoordinatorDepot, startCoordinator } from "../coordinator/main.ts";
import { LimbeckError } from "../core/errors.ts";
import type { ProgressEvent } from "../core/events.ts";
import type { Job } from "../core/job.ts";
import { parseJob } from "../core/jobfile.ts";
import { readSource } from "../core/jobsource.ts";
import type { Report } from "../core/report.ts";
import { within } from "../proto/depot/depot.ts";
import { openDepot } from "../proto/depot/open.ts";
import type { Endpoint } from "../proto/endpoint.ts";
import type { HealthPort } from "../proto/health.ts";
import { lastingJobId } from "../proto/jobsha256.ts";
import { type Log, openLog } from "../proto/telemetry/log.ts";
import { tellParent } from "./children.ts";
import type { OutputFormat } from "./display.ts";
import { type GivenPages, openPages, securityFor } from "./ports.ts";
import { earlierPart, finishedNote } from "./resume.ts";
import { keptPrediction } from "./savedplan.ts";
import type { GivenSecurity } from "./security.ts";
import { checkOwner } from "./statefolder.ts";
import { resultTable } from "./table.ts";

interface CoordinatorOptions extends GivenSecurity, GivenPages {
  /** Folder of the journal and the results. One that holds a part of this very job is gone on with. */
  readonly state: string;
  readonly set: readonly string[];
  readonly listen: Endpoint;
  /** URL of where checkpoints, models and report go, where workers do not share the folder. */
  readonly depot?: string;
  readonly output?: OutputFormat;
  /** Exit code after SIGTERM, where another process goes on with the job. */
  readonly leaveCode?: number;
  /** Exit code of a job that has failed: another process would fail of the same. */
  readonly failedCode?: number;
  /** Of a service. */
  readonly isNatsTold: boolean;
  readonly name?: string;
  readonly advertise?: Endpoint;
  readonly allowModules?: boolean;
  readonly maxJobs?: number;
  readonly standby?: boolean;
}

/** Reads and checks a job file. Throws `usage` where it cannot be read, `bad_job` with one line per problem. */
export async function readJob(file: string, overrides: readonly string[]): Promise<Job> {
  return (await readLocatedJob(file, overrides)).job;
}

export interface LocatedJob {
  readonly job: Job;
  /** `FILE:LINE`, or the `--set` that said it. */
  placeOf(field: readonly string[]): string;
}

/** The same, with where each field was said. */
export async function readLocatedJob(file: string, overrides: readonly string[]): Promise<LocatedJob> {
  let text: string;
  try {
    text = await readFile(file, "utf8");
  } catch (cause) {
    throw new LimbeckError("usage", `the job file ${file} cannot be read: ${(cause as Error).message}`, { cause });
  }
  const job = parseJob(text, file, overrides);
  return { job, placeOf: (field) => readSource(text, file, overrides).locate([field]).origin };
}

export async function coordinator(file: string, options: CoordinatorOptions): Promise<void> {
  try {
    refuseServiceOptions(options);
    await coordinate(file, options);
  } catch (thrown) {
    await tellParent(thrown);
    throw thrown;
  } finally {
    // Who listens for the parent's end keeps the process alive.
    if (process.connected) process.disconnect();
  }
}

function refuseServiceOptions(options: CoordinatorOptions): void {
  const { isNatsTold, name, advertise, allowModules, maxJobs, standby } = options;
  const given = { nats: isNatsTold, name, advertise, "allow-modules": allowModules, "max-jobs": maxJobs, standby };
  const [flag] = Object.entries(given).find(([, value]) => value) ?? [];
  if (flag === undefined) return;
  throw new LimbeckError(
    "usage",
    `--${flag} is of a service: leave the job file out, and submit it with \`limbeck submit\``,
  );
}

async function coordinate(file: string, options: CoordinatorOptions): Promise<void> {
  const job = await readJob(file, options.set);
  const runFolder = resolve(options.state);
  await checkOwner(runFolder, "job");
  const depot = options.depot === undefined ? null : await jobDepot(options.depot, job);
  try {
    await coordinateIn(runFolder, { job, file, depot, options });
  } finally {
    await depot?.depot.close();
  }
}

/** The job's folder in the depot. @throws `unavailable` where it cannot be looked into now: before any work is done */
async function jobDepot(url: string, job: Job): Promise<CoordinatorDepot> {
  const folder = lastingJobId(job);
  const whole = await openDepot(url, { name: `limbeck coordinator of ${job.name}` });
  const depot = { ...within(whole, folder), close: () => whole.close() };
  await depot.list("job.yaml");
  return { url, folder, depot };
}

interface Coordinated {
  readonly job: Job;
  readonly file: string;
  readonly depot: CoordinatorDepot | null;
  readonly options: CoordinatorOptions;
}

async function coordinateIn(runFolder: string, { job, file, depot, options }: Coordinated): Promise<void> {
  const isNew = !existsSync(join(runFolder, "job.yaml"));
  const isRecovered = depot !== null && isNew && (await recoverFolder(depot.depot, runFolder, Date.now()));
  const earlier = await earlierPart(runFolder, job, file);
  if (earlier?.report) {
    showFinished(earlier.report, options);
    return;
  }
  const log = openLog("coordinator", { bindings: { job: job.name }, output: options.output });
  for (const line of earlier?.changed ?? []) log.info({ event: "job-changed" }, line);
  if (isRecovered)
    log.info({ event: "recovered" }, `${options.state} was empty: the job goes on from ${depot.depot.where}`);
  const { listen, http } = options;
  const predicted = await keptPrediction(runFolder);
  const security = securityFor(options, log);
  const pages = await openPages(options, log);
  const given = {
    job,
    jobFolder: dirname(resolve(file)),
    runFolder,
    listen,
    http,
    resume: earlier !== null,
    ...(depot && { depot }),
    predicted,
    security,
    access: pages.access,
    log,
  };
  try {
    const running = await startCoordinator(given);
    await coordinated(running, { log, health: pages.health, options });
  } finally {
    pages.close();
    security.close();
  }
}

/** Until the job is over. */
async function coordinated(
  running: Coordinator,
  { log, health, options }: { log: Log; health: HealthPort | null; options: CoordinatorOptions },
): Promise<void> {
  health?.set("SERVING");
  if (process.send) process.send({ address: running.address, http: running.httpAddress });
  log.info(
    { event: "listening", address: running.address, http: running.httpAddress },
    `workers join at ${running.address}; watch it at http://${running.httpAddress}/`,
  );
  const { leaveCode, failedCode } = options;
  const stop = leaveCode === undefined ? running.stop : running.leave;
  process.once("SIGTERM", () => stop("the coordinator was told to stop (SIGTERM)"));
  process.once("SIGINT", () => stop("the coordinator was told to stop (SIGINT)"));
  process.once("disconnect", () => stop("the process that started the coordinator has gone"));
  const outcome = await running.finished;
  health?.set("NOT_SERVING");
  await running.close();
  if (outcome.kind === "stopped" && outcome.again) process.exitCode = leaveCode;
  if (outcome.kind !== "failed" && outcome.kind !== "left") return;
  // A job that is left is not over; and what was not to be had may be there for the next process.
  if (outcome.kind === "failed" && outcome.error.code !== "unavailable") process.exitCode = failedCode;
  throw outcome.error;
}

function showFinished(report: Report, { state, output }: CoordinatorOptions): void {
  const event: ProgressEvent = { kind: "job-finished", report, atMs: Date.now() };
  const text = output === "json" ? JSON.stringify(event) : `${finishedNote(state)}\n${resultTable(report)}`;
  process.stdout.write(`${text}\n`);
}
