/** Inputs that students send with their keys, for teachers that cannot read the dataset (`softTargets.inputs: tensors`). */
import { LimbeckError } from "../../core/errors.ts";
import type { Job } from "../../core/job.ts";
import { sizeOf } from "../../core/layout.ts";
import type { Stage } from "../../core/stages.ts";
import { messageBytes } from "../../proto/wire.ts";
import { viewOfEpoch, type WorkerContext } from "../context.ts";
import { writeInTurns } from "../data/inturns.ts";

export interface InputSource {
  /** Examples that one request can be for. */
  readonly mostExamples: number;
  /** [examples × features] under the view of a key. */
  of(examples: Uint32Array, view: number): Promise<Float32Array>;
}

/** Of a message: what is neither ids nor inputs. */
const restBytes = 2 ** 16;

/** Examples whose ids and inputs a message holds. */
function mostInMessage(features: number): number {
  return Math.floor((messageBytes - restBytes) / (4 * (features + 1)));
}

/** Floats that travel for an example; 0 where its id is enough. */
export function floatsSent({ softTargets }: Job, shape: readonly number[]): number {
  return softTargets.inputs === "tensors" ? sizeOf(shape) : 0;
}

/** What a student of the stage sends; null where ids are enough. */
export function inputSource({ job, dataset }: WorkerContext, stage: Stage): InputSource | null {
  const features = floatsSent(job, dataset.shape);
  if (features === 0) return null;
  return {
    mostExamples: mostInMessage(features),
    async of(examples, view) {
      const inputs = new Float32Array(examples.length * features);
      await writeInTurns(dataset, { examples, view: viewOfEpoch(job, stage, view) }, inputs);
      return inputs;
    },
  };
}

/** Throws `bad_job` where a message cannot hold what must not be cut: a lane, for bits depend on a pass's shape (L1); in fast an example. */
export function checkInputsFit(job: Job, shape: readonly number[]): void {
  const features = floatsSent(job, shape);
  const most = mostInMessage(features);
  const { batch } = job.lanes;
  if (features === 0 || (job.numerics === "exact" ? batch : 1) <= most) return;
  const holds = `a message of ${messageBytes / 2 ** 20} MiB holds ${most} examples of ${shape.join(" × ")} numbers`;
  throw new LimbeckError(
    "bad_job",
    `softTargets.inputs: with tensors the inputs of a lane are sent at once, and ${holds}; lanes.batch is ${batch}`,
  );
}
