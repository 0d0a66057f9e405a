/** The gRPC service of jobs: what is asked of the one that leads. */
import { createHash } from "node:crypto";
import type { ServerWritableStream } from "@grpc/grpc-js";
import { LimbeckError } from "../../core/errors.ts";
import type { JobEntry } from "../../core/jobentry.ts";
import { parseJob } from "../../core/jobfile.ts";
import { longestSource, modulesOf } from "../../core/jobpaths.ts";
import { isJobAction, type JobAction, jobActions } from "../../core/jobstate.ts";
import { told } from "../../core/told.ts";
import type { DepotObject } from "../../proto/depot/depot.ts";
import type { FetchPiece } from "../../proto/gen/limbeck/v1/FetchPiece.ts";
import type { FetchRequest__Output } from "../../proto/gen/limbeck/v1/FetchRequest.ts";
import type { JobsHandlers } from "../../proto/gen/limbeck/v1/Jobs.ts";
import type { SubmitRequest__Output } from "../../proto/gen/limbeck/v1/SubmitRequest.ts";
import { statusOf } from "../../proto/status.ts";
import { answering } from "../rpc.ts";
import { noJob } from "./calls.ts";
import { deletions } from "./deletion.ts";
import { listJobs } from "./listing.ts";
import { checkSubmission, findJob, labelOf } from "./naming.ts";
import type { Question, Reign } from "./reign.ts";
import { entryOf } from "./reporting.ts";
import type { Results } from "./results.ts";
import type { QueuedJob, Source } from "./vocabulary.ts";

export interface JobsParts {
  /** @throws NotLeader where another leads */
  readonly reign: () => Reign;
  readonly results: Results;
  /** Code that comes with a job may run on the workers. */
  readonly allowsModules: boolean;
  /** That may wait, run or be paused at once. */
  readonly mostJobs: number;
  readonly now: () => number;
}

/** A UUID and room; it is kept with the job. */
const longestRequest = 100;
const [longestWhy, longestBy] = [4_000, 256];

export function jobsHandlers({ reign, results, allowsModules, mostJobs, now }: JobsParts): JobsHandlers {
  const { submitting, deleting } = deletions({ reign, results });
  return {
    Submit: answering(async (request) => {
      const submission = submissionOf(request, allowsModules);
      const ask = () => reign().ask({ ...submission, mostJobs });
      const { job, phase, isNew, why } = await submitting(submission, ask);
      return { job, created: isNew, state: phase, why };
    }),
    List: answering(() => ({ jobs: JSON.stringify(entries(reign(), now())) })),
    Control: answering(async ({ job, action, why }) => {
      if (!isJobAction(action))
        throw new LimbeckError("usage", `a job takes ${jobActions.join(", ")}, found ${action}`);
      const found = jobOf(reign(), job, action);
      const reason = told(why, longestWhy);
      if (action === "delete") return await deleting(found, reason);
      const answer = await reign().ask({ kind: "controlled", job: found.id, action, why: reason });
      return { state: answer.phase, why: answer.why };
    }),
    Artifacts: answering(({ job }) => results.list(jobOf(reign(), job))),
    Fetch: (call) => void fetched(call, async ({ job, path }) => results.open(jobOf(reign(), job), path)),
  };
}

export function entries({ state, runs }: Reign, atMs: number): JobEntry[] {
  return listJobs(state, atMs).map((listed) => {
    return entryOf({ ...listed, why: runs.whyOf(listed) }, runs.all.get(listed.id)?.status());
  });
}

/** By id or name. @param action as noJob. @throws LimbeckError `usage` */
export function jobOf({ state }: Reign, idOrName: string, action?: JobAction): QueuedJob {
  const found = findJob(state.jobs, idOrName);
  if (found) return found;
  throw noJob(idOrName, action);
}

/** @throws LimbeckError `bad_job`, or `usage` for what the cluster does not take */
function submissionOf(
  { job: yaml, name, priority, sources, by, request }: SubmitRequest__Output,
  allowsModules: boolean,
): Omit<Extract<Question, { kind: "submitted" }>, "mostJobs"> {
  const job = parseJob(yaml, "the submitted job");
  const named = { name: name || labelOf(job.name), priority };
  checkSubmission(named);
  if (request.length > longestRequest)
    throw new LimbeckError("usage", `a request has up to ${longestRequest} characters, found ${request.length}`);
  const submission = { ...named, job, sources: sources.map(checkedSource), by: told(by, longestBy), request };
  const modules = new Set(modulesOf(job).map(({ path }) => path));
  const sent = new Set(sources.map(({ path }) => path));
  for (const module of modules) {
    if (module.startsWith("/") || sent.has(module)) continue;
    throw new LimbeckError(
      "bad_job",
      `module: ${module} has not come with the job; limbeck submit sends it, or name an absolute path of the workers' image`,
    );
  }
  const unused = sources.find(({ path }) => !modules.has(path));
  if (unused || sent.size < sources.length) {
    const which = unused ? `${JSON.stringify(unused.path)} has come` : "a file has come twice";
    throw new LimbeckError("usage", `${which} with the job, which names ${[...modules].join(" and ") || "no module"}`);
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

function checkedSource({ path, text }: Source): Source {
  const isInside = path !== "" && !path.startsWith("/") && !path.split(/[\\/]/).includes("..");
  if (!isInside)
    throw new LimbeckError(
      "usage",
      `${JSON.stringify(path)}: code that comes with a job has a relative path, without ..`,
    );
  if (Buffer.byteLength(text) > longestSource)
    throw new LimbeckError("usage", `${path} is larger than ${longestSource} bytes: put it into the workers' image`);
  return { path, text };
}

async function fetched(
  call: ServerWritableStream<FetchRequest__Output, FetchPiece>,
  opened: (request: FetchRequest__Output) => Promise<DepotObject>,
): Promise<void> {
  const gone = new AbortController();
  call.on("cancelled", () => gone.abort());
  try {
    for await (const bytes of (await opened(call.request)).pieces) {
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
