/** The gRPC service of jobs: what is asked of the one that leads. */
import { createHash } from "node:crypto";
import type { ServerWritableStream } from "@grpc/grpc-js";
import { LimbeckError } from "../../core/errors.ts";
import type { Job } from "../../core/job.ts";
import type { JobEntry } from "../../core/jobentry.ts";
import { parseJob } from "../../core/jobfile.ts";
import { told } from "../../core/told.ts";
import type { FetchPiece } from "../../proto/gen/limbeck/v1/FetchPiece.ts";
import type { FetchRequest__Output } from "../../proto/gen/limbeck/v1/FetchRequest.ts";
import type { JobsHandlers } from "../../proto/gen/limbeck/v1/Jobs.ts";
import type { SubmitRequest__Output } from "../../proto/gen/limbeck/v1/SubmitRequest.ts";
import { statusOf } from "../../proto/status.ts";
import { answering } from "../rpc.ts";
import { artifactsIn, readArtifact } from "./artifacts.ts";
import { listJobs } from "./listing.ts";
import { checkSubmission, findJob, labelOf } from "./naming.ts";
import type { Question, Reign } from "./reign.ts";
import { entryOf } from "./reporting.ts";
import { jobFolder } from "./runs.ts";
import type { Action, QueuedJob, Source } from "./vocabulary.ts";

export interface JobsParts {
  /** @throws NotLeader where another leads */
  readonly reign: () => Reign;
  readonly folder: string;
  /** Code that comes with a job may run on the workers. */
  readonly allowsModules: boolean;
  readonly now: () => number;
}

const actions: readonly string[] = ["cancel", "pause", "resume"] satisfies Action[];
const [mostSources, mostSourceBytes] = [4, 1 << 20];
/** Far more than any job file has; to parse one of 64 MiB would keep the coordinator from everything else for a minute. */
const mostJobBytes = 1 << 17;
const [longestWhy, longestBy] = [4_000, 256];

export function jobsHandlers({ reign, folder, allowsModules, now }: JobsParts): JobsHandlers {
  return {
    Submit: answering(async (request) => {
      const { job, phase, isNew, why } = await reign().ask(submissionOf(request, allowsModules));
      return { job, created: isNew, state: phase, why };
    }),
    List: answering(() => ({ jobs: JSON.stringify(entries(reign(), now())) })),
    Control: answering(async ({ job, action, why }) => {
      if (!isAction(action)) throw new LimbeckError("usage", `a job takes ${actions.join(", ")}, found ${action}`);
      const { id } = jobOf(reign(), job);
      const answer = await reign().ask({ kind: "controlled", job: id, action, why: told(why, longestWhy) });
      return { state: answer.phase, why: answer.why };
    }),
    Artifacts: answering(async ({ job }) => {
      const where = jobFolder(folder, jobOf(reign(), job).id);
      return { where, artifacts: await artifactsIn(where) };
    }),
    Fetch: (call) => void fetched(call, ({ job }) => jobFolder(folder, jobOf(reign(), job).id)),
  };
}

export function entries({ state, runs }: Reign, atMs: number): JobEntry[] {
  return listJobs(state, atMs).map((listed) => entryOf(listed, runs.all.get(listed.id)?.status()));
}

/** By id or name. @throws LimbeckError `usage` */
export function jobOf({ state }: Reign, idOrName: string): QueuedJob {
  const found = findJob(state.jobs, idOrName);
  if (found) return found;
  throw new LimbeckError("usage", `no job is called ${JSON.stringify(idOrName)}: limbeck list shows them`);
}

/** @throws LimbeckError `bad_job`, or `usage` for what the cluster does not take */
function submissionOf(
  { job: yaml, name, priority, sources, by }: SubmitRequest__Output,
  allowsModules: boolean,
): Question {
  if (yaml.length > mostJobBytes)
    throw new LimbeckError("usage", `a job file has at most ${mostJobBytes} characters, this one ${yaml.length}`);
  if (sources.length > mostSources)
    throw new LimbeckError("usage", `${sources.length} files of code came with the job, at most ${mostSources} may`);
  const job = parseJob(yaml, "the submitted job");
  const its = { sources: sources.map(checkedSource), by: told(by, longestBy) };
  const submission = { name: name || labelOf(job.name), priority, job, ...its };
  checkSubmission(submission);
  const sent = new Set(sources.map(({ path }) => path));
  for (const module of modulesOf(job)) {
    if (module.startsWith("/") || sent.has(module)) continue;
    throw new LimbeckError(
      "bad_job",
      `module: ${module} has not come with the job; limbeck submit sends it, or name an absolute path of the workers' image`,
    );
  }
  if (sources.length > 0 && !allowsModules) {
    const message = `${sources.map(({ path }) => path).join(", ")}: this cluster runs no code that comes with a job; start its coordinators with --allow-modules, or name an absolute path of the workers' image`;
    throw new LimbeckError("usage", message);
  }
  const digest = createHash("sha256")
    .update(JSON.stringify([job, submission.sources]))
    .digest("hex");
  return { kind: "submitted", digest, ...submission };
}

function modulesOf({ teacher, student }: Job): string[] {
  return [teacher, student].flatMap((spec) => ("module" in spec ? [spec.module] : []));
}

function checkedSource({ path, text }: Source): Source {
  const isInside = path !== "" && !path.startsWith("/") && !path.split(/[\\/]/).includes("..");
  if (!isInside)
    throw new LimbeckError(
      "usage",
      `${JSON.stringify(path)}: code that comes with a job has a relative path, without ..`,
    );
  if (text.length > mostSourceBytes)
    throw new LimbeckError("usage", `${path} is larger than ${mostSourceBytes} bytes: put it into the workers' image`);
  return { path, text };
}

function isAction(text: string): text is Action {
  return actions.includes(text);
}

async function fetched(
  call: ServerWritableStream<FetchRequest__Output, FetchPiece>,
  folderOf: (request: FetchRequest__Output) => string,
): Promise<void> {
  const gone = new AbortController();
  call.on("cancelled", () => gone.abort());
  try {
    for await (const bytes of await readArtifact(folderOf(call.request), call.request.path)) {
      gone.signal.throwIfAborted();
      await taken(call, { bytes: Buffer.from(bytes) }, gone.signal);
    }
    call.end();
  } catch (thrown) {
    if (!gone.signal.aborted) call.emit("error", statusOf(thrown));
  }
}

/** Resolves when the piece is on its way, so that no other waits behind it. Rejects when the caller has gone. */
function taken(
  call: ServerWritableStream<FetchRequest__Output, FetchPiece>,
  piece: FetchPiece,
  gone: AbortSignal,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const leave = () => reject(gone.reason);
    gone.addEventListener("abort", leave, { once: true });
    call.write(piece, () => {
      gone.removeEventListener("abort", leave);
      resolve();
    });
  });
}
