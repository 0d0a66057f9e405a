/**
 * Jobs that are being deleted: each once, however often it is asked, for an answer may be lost; and nobody meanwhile
 * begins one that has the same files in the depot.
 */
import { LimbeckError } from "../../core/errors.ts";
import type { ControlReply } from "../../proto/gen/limbeck/v1/ControlReply.ts";
import { lastingJobId } from "../../proto/jobsha256.ts";
import { checkIsOver } from "./calls.ts";
import type { Reign } from "./reign.ts";
import type { Results } from "./results.ts";
import type { QueuedJob } from "./vocabulary.ts";

export interface DeletionParts {
  /** The current one. @throws NotLeader where another leads */
  readonly reign: () => Reign;
  readonly results: Results;
}

export interface Deletions {
  /** What `ask`, that submits this job, gives. @throws LimbeckError `unavailable` where what it would go on from is being removed */
  submitting<T>(job: Pick<QueuedJob, "name" | "job">, ask: () => Promise<T>): Promise<T>;
  /** @throws LimbeckError `usage` where the job is not over; as Results.remove; as Reign.ask */
  deleting(job: QueuedJob, why: string): Promise<ControlReply>;
}

/** L7. Less than who asks waits for an answer. */
const removalMs = 10_000;

export function deletions({ reign, results }: DeletionParts): Deletions {
  /** By the job's id. */
  const under = new Map<string, { readonly lasting: string; readonly reply: Promise<ControlReply> }>();
  const submissions = new Set<Promise<unknown>>();

  const removed = async (job: QueuedJob, why: string): Promise<ControlReply> => {
    const staying = await results.remove(job, {
      jobs: () => reign().state.jobs.values(),
      mayDecide: () => reign().mayDecide(),
      signal: AbortSignal.timeout(removalMs),
    });
    // Only now: where it is broken off, who asks again finds the job.
    const answer = await reign().ask({ kind: "controlled", job: job.id, action: "delete", why });
    return { state: answer.phase, why: staying === "" ? answer.why : `${answer.why}; ${staying}` };
  };

  return {
    async submitting({ name, job }, ask) {
      const lasting = lastingJobId(job, name);
      const [id] = [...under].find(([, other]) => other.lasting === lasting) ?? [];
      if (id !== undefined)
        throw new LimbeckError("unavailable", `${id}, which is the same job, is being deleted; submit it again`);
      const asked = ask();
      submissions.add(asked);
      return await asked.finally(() => submissions.delete(asked));
    },
    async deleting(job, why) {
      checkIsOver(job);
      const known = under.get(job.id);
      if (known) return await known.reply;
      const lasting = lastingJobId(job.job, job.name);
      // A submission that is not decided yet may be of the same job; of two that are deleted the last takes what both have.
      const same = [...under.values()].filter((other) => other.lasting === lasting);
      const before = Promise.allSettled([...submissions, ...same.map(({ reply }) => reply)]);
      const reply = before.then(() => removed(job, why)).finally(() => under.delete(job.id));
      under.set(job.id, { lasting, reply });
      return await reply;
    },
  };
}
