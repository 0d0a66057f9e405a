/** A service of jobs as those see it who submit them, list them, and fetch what they left behind. */
import { LimbeckError } from "../core/errors.ts";
import type { JobEntry } from "../core/jobentry.ts";
import type { JobAction } from "../core/jobstate.ts";
import type { ArtifactsReply__Output } from "./gen/limbeck/v1/ArtifactsReply.ts";
import type { ControlReply__Output } from "./gen/limbeck/v1/ControlReply.ts";
import type { ListReply__Output } from "./gen/limbeck/v1/ListReply.ts";
import type { SubmitReply__Output } from "./gen/limbeck/v1/SubmitReply.ts";
import { leaderCalls } from "./leadercalls.ts";
import { errorOfCall } from "./status.ts";
import type { Whereabouts } from "./whereabouts.ts";
import { jobsClient } from "./wire.ts";

export interface Submission {
  /** The effective job, YAML, with absolute paths. */
  readonly job: string;
  /** Empty for the job's own. */
  readonly name: string;
  readonly priority: number;
  readonly sources: readonly { readonly path: string; readonly text: string }[];
  readonly by: string;
  /** Never used for another submission: what is asked again under it, for the answer was lost, is the job that came of it. */
  readonly request: string;
}

export interface Submitted {
  readonly id: string;
  /** By this request; false where it was there already. */
  readonly created: boolean;
  readonly state: string;
  readonly why: string;
}

export interface Artifacts {
  /** In words. */
  readonly where: string;
  readonly artifacts: readonly Artifact[];
}

export interface Artifact {
  /** Relative to the job's folder. */
  readonly path: string;
  readonly bytes: number;
}

/** Every call may be made again: the same request is the same job. They throw as LeaderCalls.ask does. */
export interface Jobs {
  submit(submission: Submission): Promise<Submitted>;
  list(): Promise<readonly JobEntry[]>;
  control(job: string, action: JobAction, why: string): Promise<{ readonly state: string; readonly why: string }>;
  artifacts(job: string): Promise<Artifacts>;
  /** Of one artifact, from its beginning. Throws `unavailable` where it breaks off, also where another leads meanwhile. */
  fetch(job: string, path: string): AsyncGenerator<Uint8Array>;
  close(): void;
}

/** @param onWait called where a question has had no answer for a while */
export function connectJobs(where: Whereabouts, onWait?: () => void): Jobs {
  const calls = leaderCalls(where, jobsClient, onWait);
  return {
    async submit({ sources, ...submission }) {
      const request = { ...submission, sources: [...sources] };
      const { job, created, state, why } = await calls.ask<SubmitReply__Output>((client, ...rest) =>
        client.submit(request, ...rest),
      );
      return { id: job, created, state, why };
    },
    async list() {
      const { jobs } = await calls.ask<ListReply__Output>((client, ...rest) => client.list({}, ...rest));
      return JSON.parse(jobs) as JobEntry[];
    },
    control: (job, action, why) =>
      calls.ask<ControlReply__Output>((client, ...rest) => client.control({ job, action, why }, ...rest)),
    artifacts: (job) => calls.ask<ArtifactsReply__Output>((client, ...rest) => client.artifacts({ job }, ...rest)),
    async *fetch(job, path) {
      const address = where.address();
      const moved = new AbortController();
      const unheard = where.onMoved((to) => {
        if (to !== address) moved.abort();
      });
      let leave = () => {};
      try {
        const client = await calls.reached(moved.signal);
        moved.signal.throwIfAborted();
        const call = client.fetch({ job, path });
        call.on("error", () => {}); // Thrown by the loop, and of no interest once the caller has left it.
        leave = () => call.cancel();
        moved.signal.addEventListener("abort", leave);
        for await (const { bytes } of call) yield bytes;
      } catch (thrown) {
        if (moved.signal.aborted)
          throw new LimbeckError("unavailable", `the leader changed while ${path} was fetched: ask again`);
        calls.failed(thrown);
        throw errorOfCall(thrown, `fetching ${path}`);
      } finally {
        unheard();
        leave();
      }
    },
    close: () => calls.close(),
  };
}
