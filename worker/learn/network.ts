/** A model as the compute thread uses it: flat weights in, flat gradients or logits out. */

import type * as tfjs from "@tensorflow/tfjs";
import type { SoftTermFigures } from "../../core/doctor/softterm.ts";
import { asLimbeckError, LimbeckError } from "../../core/errors.ts";
import type { ModelSpec } from "../../core/jobparts.ts";
import type { Layout } from "../../core/layout.ts";
import { sizeOf } from "../../core/layout.ts";
import { purpose, randomStream } from "../../core/random.ts";
import type { Engine } from "../engine/engine.ts";
import { checkModel, checkTraining } from "./checks.ts";
import { buildCnn } from "./cnn.ts";
import { softTermFigures } from "./diagnosis.ts";
import { type GradientsRequest, sumGradients } from "./gradients.ts";
import { inspectLane, type LaneFinding } from "./inspection.ts";
import { type LaneWork, type Trainee, trainableVariables } from "./lane.ts";
import { disposeModel } from "./layers.ts";
import { loadModel } from "./load.ts";
import type { Objective } from "./loss.ts";
import { buildMlp } from "./mlp.ts";
import { loadModule } from "./module.ts";
import { parametersOf } from "./parameters.ts";
import { reasonOf } from "./reason.ts";
import { registerReluGradient } from "./relu.ts";
import { withRandom } from "./seeding.ts";
import { endsInSoftmax, renamed, stableNames } from "./topology.ts";
import { followPass, TrainingPass } from "./training.ts";

export interface NetworkRequest {
  readonly spec: ModelSpec;
  /** Shape of one example of the dataset. */
  readonly inputShape: readonly number[];
  /** Classes of the dataset. */
  readonly classes: number;
  /** Seed of the job: of the initial weights. */
  readonly seed: number;
  /** What `load` and `module` are relative to. */
  readonly jobFolder: string;
  /** For messages: "teacher" or "student". */
  readonly role: string;
}

/**
 * Builds or loads the model. Equal requests give equal weights, bit for bit, in every process (L1).
 * @throws LimbeckError `bad_model` where it cannot be built, does not fit the dataset, or cannot be trained exactly
 */
export async function buildNetwork(engine: Engine, request: NetworkRequest): Promise<Network> {
  const { role, inputShape, classes } = request;
  registerReluGradient(engine.tf);
  const model = await makeModel(engine, request);
  try {
    checkModel(model, request);
    const names = stableNames(model.toJSON(null, false));
    const parameters = parametersOf(model, role, names);
    const pass = new TrainingPass();
    followPass(engine, model, pass);
    await checkTraining(engine, model, request, (x) => {
      pass.begin({ seed: 0, step: 0, lane: 0 });
      try {
        model.apply(x, { training: true });
      } finally {
        pass.free();
      }
    });
    const topology = renamed(model.toJSON(null, false), names);
    return new Network({ engine, model, parameters, pass, inputShape, classes }, topology);
  } catch (thrown) {
    disposeModel(model);
    throw asLimbeckError(thrown);
  }
}

async function makeModel({ tf }: Engine, request: NetworkRequest): Promise<tfjs.LayersModel> {
  const { spec, inputShape, classes, seed, jobFolder, role } = request;
  const random = randomStream(purpose.initial, seed);
  if ("load" in spec) return loadModel(tf, jobFolder, spec.load);
  if ("module" in spec) {
    const module = await loadModule(jobFolder, spec.module);
    const model = await withRandom(random, () => module.build({ tf, inputShape, classes }));
    if (!endsInSoftmax(model.toJSON(null, false))) return model;
    disposeModel(model);
    throw new LimbeckError(
      "bad_model",
      `the model of ${module.path} ends in a softmax, its output must be logits: leave the softmax out`,
    );
  }
  const logits = spec.classes ?? classes;
  try {
    return await withRandom(random, () =>
      spec.kind === "mlp" ? buildMlp(tf, spec, inputShape, logits) : buildCnn(tf, spec, inputShape, logits),
    );
  } catch (cause) {
    if (cause instanceof LimbeckError) throw cause;
    throw new LimbeckError("bad_model", `the ${role} cannot be built: ${reasonOf(cause)}`, { cause });
  }
}

/** Holds a constant number of tensors between calls (L8): the model's weights. */
export class Network {
  readonly layout: Layout;
  /** Names of the weights in the model's own order (model.getWeights()). */
  readonly order: readonly string[];
  readonly classes: number;
  readonly #trainee: Trainee;
  readonly #topology: unknown;

  constructor(trainee: Trainee, topology: unknown) {
    this.layout = trainee.parameters.layout;
    this.order = trainee.parameters.order;
    this.classes = trainee.classes;
    this.#trainee = trainee;
    this.#topology = topology;
  }

  /** A copy of the current weights [layout.weights]; as built or loaded until `setWeights`. */
  initialWeights(): Float32Array {
    const flat = new Float32Array(this.layout.weights);
    this.#eachWeight(({ offset }, variable) => flat.set(variable.dataSync<"float32">(), offset));
    return flat;
  }

  /**
   * Makes these the model's weights. On TensorFlow's CPU aligned memory is used in place: after a change of `flat`,
   * which must not happen while a call is under way, set them again.
   * @param flat [layout.weights]
   */
  setWeights(flat: Float32Array): void {
    if (flat.length !== this.layout.weights) {
      throw new LimbeckError("internal", `${flat.length} weights were given to a model of ${this.layout.weights}`);
    }
    const { tf } = this.#trainee.engine;
    this.#eachWeight(({ offset, size, shape }, variable) => {
      const fresh = tf.tensor(flat.subarray(offset, offset + size), [...shape]);
      // Not LayerVariable.write, which would apply constraints: the optimizer has.
      variable.assign(fresh);
      fresh.dispose();
    });
  }

  /** Sums of lane gradients, one vector [layout.gradient] per node of the request. */
  gradients(request: GradientsRequest, into: readonly Float32Array[]): void {
    if (trainableVariables(this.#trainee.parameters).length === 0) {
      throw new LimbeckError("bad_model", "the model has no trainable weights");
    }
    sumGradients(this.#trainee, request, into);
  }

  /** What of these lanes is not finite, with the weights as they are. */
  inspect(request: Pick<GradientsRequest, "objective" | "seed" | "step" | "lanes">): LaneFinding[] {
    return request.lanes.map((work) => inspectLane(this.#trainee, request, work));
  }

  /** What the soft term is worth on a lane, with the weights as they are. */
  softTerm(objective: Objective, work: LaneWork): SoftTermFigures {
    return softTermFigures(this.#trainee, objective, work);
  }

  /**
   * Inference.
   * @param inputs at least [count, ...shape of an example]
   * @returns logits [count, classes]
   */
  logits(inputs: Float32Array, count: number): Float32Array {
    const { engine, model, inputShape } = this.#trainee;
    const { tf } = engine;
    if (count === 0) return new Float32Array(0);
    const features = sizeOf(inputShape);
    const logits = tf.tidy(() => {
      const examples = tf.tensor(inputs.subarray(0, count * features), [count, ...inputShape]);
      return model.apply(examples, { training: false }) as tfjs.Tensor;
    });
    // Not in the tidy, which would search what it returns for tensors, number by number.
    const values = logits.dataSync<"float32">();
    logits.dispose();
    return values;
  }

  /** The architecture as `LayersModel.toJSON` gives it, with layer names that are the same in every process. */
  topology(): unknown {
    return this.#topology;
  }

  dispose(): void {
    disposeModel(this.#trainee.model);
  }

  #eachWeight(visit: (parameter: Layout["parameters"][number], variable: tfjs.Variable) => void): void {
    const { weights } = this.#trainee.parameters;
    this.layout.parameters.forEach((parameter, index) => {
      visit(parameter, weights[index]!.read() as tfjs.Variable);
    });
  }
}
