/** What of a job decides its result: checkpoints of one run serve every job that is equal in this. */
import type { Job } from "./job.ts";

/** The job without what may change between a run and its resumption. Two are alike exactly where their JSON is. */
export function resultDeciding(job: Job): object {
  const { workers: _workers, checkpoint: _checkpoint, verification: _verification, ...rest } = job;
  const { everyEpochs: _everyEpochs, ...evaluation } = rest.evaluation;
  const { ahead: _ahead, ...softTargets } = rest.softTargets;
  return { ...rest, evaluation, softTargets };
}
