/** A teacher worker in one term: builds the teacher, gets its weights, and answers for it. */
import { LimbeckError } from "../core/errors.ts";
import { planStages } from "../core/stages.ts";
import { Arena } from "./arena.ts";
import { weightsSha256 } from "./artifacts/digest.ts";
import { nothing, viewOfEpoch, type WorkerContext } from "./context.ts";
import type { Membership } from "./membership.ts";

const pullWeightsMs = 60_000;

/** A teacher that is ready to serve. */
export interface ServingTeacher {
  readonly sha256: string;
  readonly parameters: number;
  /** Logits [examples, classes] of training examples under the view of the epoch: one forward pass, of exactly this shape (L1). */
  answer(examples: Uint32Array, epoch: number): Promise<Float32Array>;
}

export async function prepareTeacher(
  context: WorkerContext,
  membership: Membership,
  signal: AbortSignal,
): Promise<ServingTeacher> {
  const { job, device, dataset, jobFolder, status } = context;
  status.doing = "building the teacher";
  const spec = planStages(job, dataset.count("train"))[0]!.spec;
  const built = await device.ask("build", {
    name: "teacher",
    spec,
    inputShape: dataset.shape,
    classes: dataset.classes,
    seed: job.seed,
    jobFolder,
    role: "teacher",
  });
  const loads = "load" in spec;
  const weights = loads ? built.weights : await pullWeights(context, membership, built.layout.weights, signal);
  const sha256 = weightsSha256(built.order, built.layout, weights);
  if (membership.teacherSha256 !== "" && sha256 !== membership.teacherSha256) {
    throw new LimbeckError(
      "corrupt",
      `the teacher's weights are ${sha256}, the students trained or loaded ${membership.teacherSha256}`,
    );
  }
  if (!loads) await device.ask("load", { name: "teacher", weights });
  const features = dataset.shape.reduce((product, side) => product * side, 1);
  // Shared and aligned: neither cloned on its way to the compute thread nor copied by TensorFlow. One request at a time.
  const shared = Arena.create(4 * job.lanes.count * job.lanes.batch * features);
  const inputs = shared.floats(job.lanes.count * job.lanes.batch * features);
  const answer = async (examples: Uint32Array, epoch: number): Promise<Float32Array> => {
    if (examples.length * features > inputs.length) {
      throw new LimbeckError(
        "internal",
        `${examples.length} soft targets were asked for at once, a step has no more than ${job.lanes.count * job.lanes.batch}`,
      );
    }
    dataset.examples("train", examples, viewOfEpoch(job, membership.plan.stage, epoch), inputs);
    return await device.ask("logits", { name: "teacher", inputs, count: examples.length });
  };
  return { sha256, parameters: built.layout.weights, answer };
}

/** Pulls the weights the students agreed on, from whichever of them gives them first. */
async function pullWeights(
  { services, status }: WorkerContext,
  { term, students }: Membership,
  floats: number,
  signal: AbortSignal,
): Promise<Float32Array> {
  const failures: string[] = [];
  const weights = new Float32Array(floats);
  for (const student of students) {
    status.waitingFor = () => `the teacher's weights from ${student.worker}`;
    try {
      const wanted = { term, kind: "teacher", step: 0, slice: 0, deadlineMs: pullWeightsMs };
      await services.peers.client.pull(student, wanted, weights, signal);
      return weights;
    } catch (thrown) {
      if (signal.aborted) throw signal.reason;
      failures.push((thrown as Error).message);
    } finally {
      status.waitingFor = nothing;
    }
  }
  throw new LimbeckError("unavailable", `no student gave the teacher's weights: ${failures.join("; ")}`);
}
