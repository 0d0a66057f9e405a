/** The teacher, computed in this very worker: what the served soft targets should be. */

import { sourceOfTeacher } from "../../core/jobteacher.ts";
import { sizeOf } from "../../core/layout.ts";
import { modelRequest, type WorkerContext } from "../context.ts";
import { patiently } from "../patience.ts";

export interface LocalTeacher {
  /** @returns logits [examples, classes] of inputs [examples × features], in passes of a lane's batch */
  logits(inputs: Float32Array): Promise<Float32Array>;
  close(): Promise<void>;
}

/** null where this worker has neither the trained weights nor a file to load them from. Throws `bad_model` where it does not fit. */
export async function openLocalTeacher(context: WorkerContext, signal: AbortSignal): Promise<LocalTeacher | null> {
  const { job, device, dataset, trained } = context;
  const model = trained.get("teach");
  if (!model && sourceOfTeacher(job.teacher) === null) return null;
  const built = () => device.ask("build", { name: "variant", ...modelRequest(context, "teacher") });
  await patiently(context, job.teacher, built, signal);
  if (sourceOfTeacher(job.teacher) === null) await device.ask("load", { name: "variant", weights: model!.weights });
  const features = sizeOf(dataset.shape);
  return {
    async logits(inputs) {
      const examples = inputs.length / features;
      const logits = new Float32Array(examples * dataset.classes);
      for (let at = 0; at < examples; at += job.lanes.batch) {
        const count = Math.min(job.lanes.batch, examples - at);
        const some = inputs.slice(at * features, (at + count) * features);
        const pass = () => device.ask("logits", { name: "variant", inputs: some, count });
        logits.set(await patiently(context, job.teacher, pass, signal), at * dataset.classes);
      }
      return logits;
    },
    close: async () => void (await device.ask("drop", { name: "variant" })),
  };
}
