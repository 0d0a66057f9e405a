/** A teacher worker: the built teacher, kept across terms for as long as its weights are those asked for. */

import { cachePlan } from "../core/caching.ts";
import { LimbeckError } from "../core/errors.ts";
import { serversOf, sourceOfTeacher } from "../core/jobteacher.ts";
import { sizeOf } from "../core/layout.ts";
import type { Stage } from "../core/stages.ts";
import { Arena } from "./arena.ts";
import { weightsInOrder } from "./artifacts/digest.ts";
import { findCheckpoint } from "./checkpoints.ts";
import type { BuiltNetwork } from "./compute/protocol.ts";
import { modelRequest, nothing, type TrainedModel, viewOfEpoch, type WorkerContext } from "./context.ts";
import type { ViewKey } from "./data/dataset.ts";
import { PeerFailure } from "./exchange/peerfailure.ts";
import type { Membership } from "./membership.ts";
import { isOfAwayServer, patiently } from "./patience.ts";
import { rowDependence } from "./softtargets/rows.ts";
import { passesUnderWay, type Serving } from "./softtargets/server.ts";
import { transferMs } from "./transfer.ts";
import { sha256InTurns } from "./turns.ts";

/** Which teacher a term wants, and who has it. */
export type WantedTeacher = Pick<Membership, "term" | "teacherSha256" | "teacherSources">;

export class Teacher {
  /** Why its soft targets must not be cached; empty where they may. */
  uncacheable = "";
  readonly sha256: string;
  readonly parameters: number;
  readonly #context: WorkerContext;
  /** Shared and aligned: neither cloned on its way to the compute thread nor copied by TensorFlow. Those of no pass. */
  readonly #inputs: Float32Array[];
  /** Of its server, while that does not answer; empty where it did, the last time. */
  #away = "";

  private constructor(context: WorkerContext, { sha256, weights }: TrainedModel) {
    this.#context = context;
    this.sha256 = sha256;
    this.parameters = weights.length;
    const { job, dataset } = context;
    const floats = job.lanes.count * job.lanes.batch * sizeOf(dataset.shape);
    this.#inputs = Array.from({ length: passesUnderWay }, () => Arena.create(4 * floats).floats(floats));
  }

  /** Builds the teacher and gets the weights that the term asks for. */
  static async prepare(context: WorkerContext, wanted: WantedTeacher, signal: AbortSignal): Promise<Teacher> {
    const { job, device, status } = context;
    status.doing = "building the teacher";
    const building = () => device.ask("build", { name: "teacher", ...modelRequest(context, "teacher") });
    const built = await patiently(context, job.teacher, building, signal);
    const isTaught = sourceOfTeacher(job.teacher) === null;
    const model = isTaught ? await taught(context, wanted, built, signal) : await loaded(built, wanted);
    if (isTaught) await device.ask("load", { name: "teacher", weights: model.weights });
    // Whoever serves it can also pass it on.
    context.trained.set("teach", model);
    const teacher = new Teacher(context, model);
    // Only what may be cached must not depend on its place.
    if (job.numerics === "exact" && cachePlan(job, "").kind === "cached") await teacher.#checkRows(signal);
    return teacher;
  }

  /** It serves what the term asks for. */
  fits({ teacherSha256 }: WantedTeacher): boolean {
    return teacherSha256 === this.sha256;
  }

  /** What it gives in a term. */
  serving(term: number, stage: Stage): Serving {
    const { job, dataset } = this.#context;
    const { numerics, lanes, distil } = job;
    return {
      ...{ term, teacher: this.sha256, dataset: dataset.digest, classes: dataset.classes },
      temperature: distil.temperature,
      mergesUpTo: numerics === "fast" ? lanes.count * lanes.batch : 0,
      answer: (examples, epoch) => this.#pass(examples, viewOfEpoch(job, stage, epoch)),
    };
  }

  /**
   * Logits [examples, classes] of training examples under the view, in one forward pass. Exact: always of the shape of a
   * whole lane, for bits depend on it (L1); the rows beyond the examples are zeros, and dropped.
   */
  async #pass(examples: Uint32Array, view: ViewKey | null): Promise<Float32Array> {
    const { job, dataset, device, status } = this.#context;
    const { numerics, lanes } = job;
    const isExact = numerics === "exact";
    const most = isExact ? lanes.batch : lanes.count * lanes.batch;
    if (examples.length > most) {
      const whole = isExact ? "a lane" : "a step";
      const message = `${examples.length} soft targets were asked for at once, ${whole} has no more than ${most}`;
      throw new LimbeckError("internal", message);
    }
    const inputs = this.#inputs.pop();
    if (!inputs) throw new LimbeckError("internal", `more than ${passesUnderWay} passes are under way`);
    const servers = serversOf(job.teacher);
    const isUnderWay = () => this.#inputs.length < passesUnderWay;
    if (servers !== "") status.waitingFor = () => this.#away || (isUnderWay() ? servers : "");
    try {
      const count = isExact ? lanes.batch : examples.length;
      dataset.examples("train", examples, view, inputs);
      inputs.fill(0, examples.length * sizeOf(dataset.shape), count * sizeOf(dataset.shape));
      const logits = await device.ask("logits", { name: "teacher", inputs, count });
      this.#away = "";
      return logits.subarray(0, (logits.length / count) * examples.length);
    } catch (thrown) {
      if (isOfAwayServer(thrown)) this.#away = thrown.message;
      throw thrown;
    } finally {
      this.#inputs.push(inputs);
    }
  }

  async #checkRows(signal: AbortSignal): Promise<void> {
    const { job, dataset } = this.#context;
    const pass = (examples: Uint32Array) =>
      patiently(this.#context, job.teacher, () => this.#pass(examples, null), signal);
    this.uncacheable = (await rowDependence(pass, job.lanes.batch, dataset.count("train"))) ?? "";
  }
}

async function digested(built: BuiltNetwork, weights: Float32Array): Promise<TrainedModel> {
  const { layout, order, givenSha256 } = built;
  return { ...built, weights, sha256: givenSha256 ?? (await sha256InTurns(weightsInOrder(order, layout, weights))) };
}

/** The model from disk or a server: the students evaluated the same one. Before a run, for the doctor, nobody has: "". */
async function loaded(built: BuiltNetwork, { teacherSha256 }: WantedTeacher): Promise<TrainedModel> {
  const model = await digested(built, built.weights);
  if (teacherSha256 === "" || model.sha256 === teacherSha256) return model;
  throw new LimbeckError(
    "corrupt",
    `the teacher is ${model.sha256}, the students evaluated ${teacherSha256}: its files, or the model on its server, are not the same everywhere`,
  );
}

/**
 * The weights the students agreed on: its own, those of whoever gives them first, or those of the last checkpoint of
 * `teach`. Throws where nobody has them, which another term may mend.
 */
async function taught(
  context: WorkerContext,
  asked: WantedTeacher,
  built: BuiltNetwork,
  signal: AbortSignal,
): Promise<TrainedModel> {
  const { services, status, trained } = context;
  const { term, teacherSha256, teacherSources } = asked;
  const own = trained.get("teach");
  if (own?.sha256 === teacherSha256) return own;
  const failures: unknown[] = [];
  const weights = new Float32Array(built.layout.weights);
  for (const source of teacherSources.filter(({ worker }) => worker !== context.name)) {
    status.waitingFor = () => `the teacher's weights from ${source.worker}`;
    try {
      const wanted = { term, kind: "teacher", step: 0, slice: 0, deadlineMs: transferMs };
      await services.peers.client.pull(source, wanted, weights, signal);
      const model = await digested(built, weights);
      if (model.sha256 === teacherSha256) return model;
      const message = `${source.worker} gave a teacher of weights ${model.sha256}, asked for was ${teacherSha256}`;
      failures.push(new PeerFailure(source.worker, new LimbeckError("corrupt", message)));
    } catch (thrown) {
      const isNotHere = thrown instanceof LimbeckError && thrown.code === "stale_term"; // A source need not be in this term.
      if (signal.aborted || !(isNotHere || thrown instanceof PeerFailure)) throw thrown;
      failures.push(thrown);
    } finally {
      status.waitingFor = nothing;
    }
  }
  const { found } = await findCheckpoint(context, "teach");
  if (found?.weightsSha256 === teacherSha256) return await digested(built, found.weights);
  throw failures.at(-1) ?? new LimbeckError("lost_worker", `nobody has the teacher of weights ${teacherSha256}`);
}
