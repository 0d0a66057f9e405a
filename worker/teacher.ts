/** A teacher worker: the built teacher, or the member of an ensemble that it serves, kept across terms for as long as its weights are those asked for. */

import { cachePlan } from "../core/caching.ts";
import { LimbeckError } from "../core/errors.ts";
import { serversOf, sourceOfTeacher } from "../core/jobteacher.ts";
import { sizeOf } from "../core/layout.ts";
import type { Stage } from "../core/stages.ts";
import { isApart, type TeacherPart, teacherParts } from "../core/teacherparts.ts";
import { Arena } from "./arena.ts";
import { weightsInOrder } from "./artifacts/digest.ts";
import { findCheckpoint } from "./checkpoints.ts";
import type { BuiltNetwork } from "./compute/protocol.ts";
import { modelRequest, nothing, type TrainedModel, viewOfEpoch, type WorkerContext } from "./context.ts";
import type { Dataset, DatasetFacts, ViewKey } from "./data/dataset.ts";
import { type Payload, payloadBytes } from "./exchange/payload.ts";
import { PeerFailure } from "./exchange/peerfailure.ts";
import type { Membership } from "./membership.ts";
import { isOfAwayServer, patiently } from "./patience.ts";
import { floatsSent } from "./softtargets/inputs.ts";
import { drawnExamples, rowDependence } from "./softtargets/rows.ts";
import { passesUnderWay, type Serving } from "./softtargets/server.ts";
import { transferMs } from "./transfer.ts";
import { sha256InTurns } from "./turns.ts";

/** Which teacher a term wants, which part of it, who has it, and what it is asked about. */
export type WantedTeacher = Pick<Membership, "term" | "part" | "teacherSha256" | "teacherSources" | "dataset">;

/** The dataset need not be open where inputs are sent. */
type Context = WorkerContext<Dataset | null>;

/** Writes the inputs of a pass. */
type Write = (into: Float32Array) => void;

export class Teacher {
  /** Why its soft targets must not be cached; empty where they may. */
  uncacheable = "";
  /** Of what it serves: of a member of an ensemble, the member's own. */
  readonly sha256: string;
  readonly parameters: number;
  readonly #part: TeacherPart;
  readonly #context: Context;
  readonly #dataset: DatasetFacts;
  /** Shared and aligned: neither cloned on its way to the compute thread nor copied by TensorFlow. Those of no pass. */
  readonly #inputs: Float32Array[];
  /** Of its server, while that does not answer; empty where it did, the last time. */
  #away = "";

  private constructor(
    context: Context,
    { part, dataset }: { readonly part: TeacherPart; readonly dataset: DatasetFacts },
    { sha256, weights }: TrainedModel,
  ) {
    this.#context = context;
    this.#part = part;
    this.#dataset = dataset;
    this.sha256 = sha256;
    this.parameters = weights.length;
    const { job } = context;
    const floats = job.lanes.count * job.lanes.batch * sizeOf(dataset.shape);
    this.#inputs = Array.from({ length: passesUnderWay }, () => Arena.create(4 * floats).floats(floats));
  }

  /** Builds the teacher, or its part, and gets the weights that the term asks for. */
  static async prepare(context: Context, wanted: WantedTeacher, signal: AbortSignal): Promise<Teacher> {
    const { job, jobFolder, device, status } = context;
    const { dataset } = wanted;
    const part = partOf(context, wanted);
    status.doing = isApart(job.teacher) ? `building ${part.field}` : "building the teacher";
    const whole = modelRequest({ job, jobFolder, dataset }, "teacher");
    const request = { ...whole, name: "teacher", spec: part.spec, role: part.field } as const;
    const built = await patiently(context, part.spec, () => device.ask("build", request), signal);
    const isTaught = sourceOfTeacher(job.teacher) === null;
    // The digest of a member is not known: the coordinator, and who mixes, compare that of all members together.
    const sha256 = isApart(job.teacher) ? "" : wanted.teacherSha256;
    const model = isTaught ? await taught(context, wanted, built, signal) : await loaded(built, sha256);
    if (isTaught) await device.ask("load", { name: "teacher", weights: model.weights });
    // Whoever serves it can also pass it on.
    if (!isApart(job.teacher)) context.trained.set("teach", model);
    const teacher = new Teacher(context, { part, dataset }, model);
    // Only what may be cached must not depend on its place.
    if (job.numerics === "exact" && cachePlan(job, "").kind === "cached") await teacher.#checkRows(signal);
    return teacher;
  }

  /** It serves what the term asks for. */
  fits(wanted: WantedTeacher): boolean {
    if (partOf(this.#context, wanted).field !== this.#part.field) return false;
    return isApart(this.#context.job.teacher) || wanted.teacherSha256 === this.sha256;
  }

  /** What it does, in words (L7). */
  get doing(): string {
    const of = isApart(this.#context.job.teacher) ? ` of ${this.#part.field}` : "";
    return `serving soft targets${of}`;
  }

  /** What it gives in a term. */
  serving(term: number, stage: Stage): Serving {
    const { job } = this.#context;
    const { numerics, lanes, distil } = job;
    const { digest, classes, shape, trainExamples } = this.#dataset;
    const inputFloats = floatsSent(job, shape);
    const most = numerics === "exact" ? lanes.batch : lanes.count * lanes.batch;
    return {
      ...{ term, teacher: this.sha256, dataset: digest, classes, inputFloats, trainExamples },
      mostExamples: most,
      temperature: distil.temperature,
      mergesUpTo: numerics === "fast" ? most : 0,
      answer: (examples, epoch, inputs) => {
        const write = inputFloats > 0 ? copyOf(inputs) : this.#own(examples, viewOfEpoch(job, stage, epoch));
        return this.#pass(examples.length, write);
      },
    };
  }

  /** Training examples under the view, from the dataset itself. */
  #own(examples: Uint32Array, view: ViewKey | null): Write {
    const { dataset } = this.#context;
    if (dataset) return (into) => dataset.examples("train", examples, view, into);
    throw new LimbeckError("internal", "a teacher that has not opened the dataset was asked without inputs");
  }

  /**
   * Logits [examples, classes] of inputs [examples, …shape], in one forward pass. Exact: always of the shape of a
   * whole lane, for bits depend on it (L1); the rows beyond the examples are zeros, and dropped.
   */
  async #pass(examples: number, write: Write): Promise<Float32Array> {
    const { job, device, status } = this.#context;
    const features = sizeOf(this.#dataset.shape);
    const { numerics, lanes } = job;
    const inputs = this.#inputs.pop();
    if (!inputs) throw new LimbeckError("internal", `more than ${passesUnderWay} passes are under way`);
    const servers = serversOf(this.#part.spec);
    const isUnderWay = () => this.#inputs.length < passesUnderWay;
    if (servers !== "") status.waitingFor = () => this.#away || (isUnderWay() ? servers : "");
    try {
      const count = numerics === "exact" ? lanes.batch : examples;
      write(inputs);
      inputs.fill(0, examples * features, count * features);
      const logits = await device.ask("logits", { name: "teacher", inputs, count });
      this.#away = "";
      return logits.subarray(0, (logits.length / count) * examples);
    } catch (thrown) {
      if (isOfAwayServer(thrown)) this.#away = thrown.message;
      throw thrown;
    } finally {
      this.#inputs.push(inputs);
    }
  }

  async #checkRows(signal: AbortSignal): Promise<void> {
    const { job, dataset } = this.#context;
    const { batch } = job.lanes;
    const drawn = dataset ? null : drawnExamples(sizeOf(this.#dataset.shape));
    const once = (examples: Uint32Array) =>
      this.#pass(examples.length, drawn ? (into) => drawn(examples, into) : this.#own(examples, null));
    const pass = (examples: Uint32Array) => patiently(this.#context, this.#part.spec, () => once(examples), signal);
    // Twice a batch of drawn ones: every row can have another company.
    this.uncacheable = (await rowDependence(pass, batch, dataset?.count("train") ?? 2 * batch)) ?? "";
  }
}

/** Of any alignment, one after another. */
function copyOf(inputs: Payload): Write {
  return ({ buffer, byteOffset }) => {
    const bytes = new Uint8Array(buffer, byteOffset, payloadBytes(inputs));
    let at = 0;
    for (const some of inputs) {
      bytes.set(some, at);
      at += some.byteLength;
    }
  };
}

async function digested(built: BuiltNetwork, weights: Float32Array): Promise<TrainedModel> {
  const { layout, order, givenSha256 } = built;
  return { ...built, weights, sha256: givenSha256 ?? (await sha256InTurns(weightsInOrder(order, layout, weights))) };
}

function partOf({ job }: Pick<Context, "job">, { part }: WantedTeacher): TeacherPart {
  const found = teacherParts(job.teacher)[part];
  if (!found)
    throw new LimbeckError("internal", `part ${part} of the teacher is to be served, which this job does not have`);
  return found;
}

/** The model from disk or a server: the students evaluated the same one. @param teacherSha256 "" where that is not known */
async function loaded(built: BuiltNetwork, teacherSha256: string): Promise<TrainedModel> {
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
  context: Context,
  asked: WantedTeacher,
  built: BuiltNetwork,
  signal: AbortSignal,
): Promise<TrainedModel> {
  const { services, status, trained } = context;
  const { term, teacherSha256, teacherSources, dataset } = asked;
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
  const { found } = await findCheckpoint({ ...context, dataset }, "teach");
  if (found?.weightsSha256 === teacherSha256 && found.weights.length === built.layout.weights) {
    const model = await digested(built, found.weights);
    if (model.sha256 === teacherSha256) return model;
    failures.push(new LimbeckError("corrupt", `the checkpoint of the teacher holds weights ${model.sha256}`));
  }
  throw failures.at(-1) ?? new LimbeckError("lost_worker", `nobody has the teacher of weights ${teacherSha256}`);
}
