/** What the compute thread holds: the engine, the networks by name, and the replica that is trained. */
import { LimbeckError } from "../../core/errors.ts";
import { layoutOf } from "../../core/layout.ts";
import { floatsAt, intsAt } from "../arena.ts";
import type { Engine } from "../engine/engine.ts";
import { loadEngine } from "../engine/load.ts";
import type { Inference } from "../inference/inference.ts";
import { openModel } from "../inference/open.ts";
import { type Kernels, loadKernels } from "../kernels/kernels.ts";
import type { LaneWork } from "../learn/lane.ts";
import { Network } from "../learn/network.ts";
import { createOptimizer, type Optimizer } from "../optimizer.ts";
import type {
  ApplyRequest,
  BuildRequest,
  BuiltNetwork,
  GradientsRequest,
  NetworkName,
  ReplicaBinding,
  RequestKind,
  Requests,
} from "./protocol.ts";

interface Replica {
  readonly memory: WebAssembly.Memory;
  readonly kernels: Kernels;
  readonly weights: Float32Array;
  readonly partials: readonly Float32Array[];
  readonly sum: Float32Array;
  readonly state: Float32Array;
  readonly scratch: readonly Float32Array[];
  readonly optimizer: Optimizer | null;
}

type Handlers = {
  [K in RequestKind]: (ask: Requests[K]["ask"]) => Requests[K]["answer"] | Promise<Requests[K]["answer"]>;
};

export class Computation {
  #engine: Engine | null = null;
  readonly #models = new Map<NetworkName, Network | Inference>();
  #replica: Replica | null = null;

  readonly #handlers: Handlers = {
    open: async ({ choice, threads }) => {
      this.#engine = await loadEngine(choice, threads);
      return this.#engine.info;
    },
    build: (ask) => this.#build(ask),
    drop: ({ name }) => this.#drop(name),
    bind: (ask) => this.#bind(ask),
    gradients: (ask) => this.#gradients(ask),
    apply: (ask) => this.#apply(ask),
    inspect: ({ lanes, ...request }) => this.#network("trained").inspect({ ...request, lanes: this.#work(lanes) }),
    softTerm: ({ name, objective, work }) => this.#network(name).softTerm(objective, work),
    load: ({ name, weights }) => {
      this.#network(name).setWeights(weights);
      return null;
    },
    logits: ({ name, inputs, count }) => this.#model(name).logits(inputs, count),
    memory: () => {
      const { numTensors, numBytes } = this.#open().tf.memory();
      return { tensors: numTensors, bytes: numBytes };
    },
  };

  async perform<K extends RequestKind>(kind: K, ask: Requests[K]["ask"]): Promise<Requests[K]["answer"]> {
    return await this.#handlers[kind](ask);
  }

  async #build({ name, ...request }: BuildRequest): Promise<BuiltNetwork> {
    await this.#drop(name);
    const model = await openModel(this.#open(), request);
    this.#models.set(name, model);
    if (!(model instanceof Network)) {
      return {
        layout: layoutOf([]),
        order: [],
        topology: null,
        weights: new Float32Array(),
        givenSha256: model.sha256,
      };
    }
    const { layout, order } = model;
    return { layout, order, topology: model.topology(), weights: model.initialWeights(), givenSha256: null };
  }

  async #drop(name: NetworkName): Promise<null> {
    const model = this.#models.get(name);
    this.#models.delete(name);
    if (name === "trained") this.#replica = null;
    await model?.dispose();
    return null;
  }

  #bind(binding: ReplicaBinding): null {
    const { memory } = binding;
    const at = (region: ReplicaBinding["sum"]) => floatsAt(memory, region);
    const kernels = loadKernels(memory);
    const network = this.#network("trained");
    this.#replica = {
      memory,
      kernels,
      weights: at(binding.weights),
      partials: binding.partials.map(at),
      sum: at(binding.sum),
      state: at(binding.state),
      scratch: binding.scratch.map(at),
      optimizer: binding.optimizer && createOptimizer(kernels, binding.optimizer, network.layout),
    };
    network.setWeights(this.#replica.weights);
    return null;
  }

  #gradients({ lanes, ...request }: GradientsRequest): null {
    const { kernels, partials, scratch } = this.#bound();
    const host = { add: kernels.add, scratch };
    this.#network("trained").gradients({ ...request, lanes: this.#work(lanes), host }, partials);
    return null;
  }

  #work(lanes: GradientsRequest["lanes"]): LaneWork[] {
    const { memory } = this.#bound();
    return lanes.map(({ lane, examples, inputs, labels, teacherLogits }) => ({
      lane,
      examples,
      inputs: floatsAt(memory, inputs),
      labels: intsAt(memory, labels),
      teacherLogits: teacherLogits && floatsAt(memory, teacherLogits),
    }));
  }

  #apply({ examples, step, learningRate }: ApplyRequest): { gradientNorm: number } | null {
    const { kernels, optimizer, weights, sum, state } = this.#bound();
    if (!optimizer) throw new LimbeckError("internal", "an update was asked for in a stage without an optimizer");
    if (!kernels.isFinite(sum)) return null;
    const applied = optimizer.apply({ weights, sum, state, examples, step, learningRate });
    this.#network("trained").setWeights(weights);
    return applied;
  }

  #open(): Engine {
    if (!this.#engine) throw new LimbeckError("internal", "the engine is not open yet");
    return this.#engine;
  }

  #model(name: NetworkName): Network | Inference {
    const model = this.#models.get(name);
    if (!model) throw new LimbeckError("internal", `there is no network "${name}" in the compute thread`);
    return model;
  }

  /** One that has weights. */
  #network(name: NetworkName): Network {
    const model = this.#model(name);
    if (model instanceof Network) return model;
    throw new LimbeckError("internal", `the network "${name}" in the compute thread has no weights of its own`);
  }

  #bound(): Replica {
    if (!this.#replica) throw new LimbeckError("internal", "no replica is bound");
    return this.#replica;
  }
}
