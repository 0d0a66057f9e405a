/** Lane gradients, summed along the fixed tree over lanes (L1): on the device where it adds as the host does. */
import type * as tfjs from "@tensorflow/tfjs";
import { LimbeckError } from "../../core/errors.ts";
import { type Layout, metricCount, sizeOf } from "../../core/layout.ts";
import { additions, rootOf, type TreeNode } from "../../core/tree.ts";
import { type LaneGradient, type LaneWork, laneGradient, type Outcome, readMetrics, type Trainee } from "./lane.ts";
import type { Objective } from "./loss.ts";
import { readInto } from "./readback.ts";

export interface GradientsRequest {
  /** null for hard labels alone. */
  readonly objective: Objective | null;
  readonly seed: number;
  readonly step: number;
  /** In lane order, without gaps. */
  readonly lanes: readonly LaneWork[];
  /** All lanes as one batch, whose draws are those of the first lane: one node, bits that depend on the deal. */
  readonly merged: boolean;
  /** The maximal subtrees these lanes make up. */
  readonly nodes: readonly TreeNode[];
  /** Of the whole tree. */
  readonly leaves: number;
  readonly host: HostAdder;
}

export interface HostAdder {
  /** into += from, flushing denormals. */
  add(into: Float32Array, from: Float32Array): void;
  /** `hostScratchVectors(leaves)` gradient vectors. */
  readonly scratch: readonly Float32Array[];
}

/** Gradient vectors needed beside the result to add a tree of so many leaves on the host. */
export function hostScratchVectors(leaves: number): number {
  return rootOf(leaves).level;
}

/** Writes the sum of each node's lanes into the gradient vector at the same place of `into`. */
export function sumGradients(trainee: Trainee, request: GradientsRequest, into: readonly Float32Array[]): void {
  if (into.length !== request.nodes.length) {
    throw new LimbeckError(
      "internal",
      `${into.length} gradient vectors were given for ${request.nodes.length} tree nodes`,
    );
  }
  if (request.merged) {
    const work = mergedWork(trainee, request.lanes);
    const { tensors, outcome } = compute(trainee, request, work);
    store(trainee.parameters.layout, tensors, readMetrics(request.objective, trainee.classes, work, outcome), into[0]!);
    return;
  }
  request.nodes.forEach((node, index) => {
    const first = node.index * 2 ** node.level;
    const lanes = request.lanes.filter(({ lane }) => lane >= first && lane < first + 2 ** node.level);
    const sum = trainee.engine.ops.addsOnDevice ? sumOnDevice : sumOnHost;
    sum(trainee, request, { node, lanes, into: into[index]! });
  });
}

interface Subtree {
  readonly node: TreeNode;
  readonly lanes: readonly LaneWork[];
  readonly into: Float32Array;
}

/** One read-back, however many lanes. */
function sumOnDevice(trainee: Trainee, request: GradientsRequest, subtree: Subtree): void {
  const { engine, classes, parameters } = trainee;
  const outcomes: (Outcome | null)[] = [];
  const computeLane = (work: LaneWork) => {
    const { tensors, outcome } = compute(trainee, request, work);
    outcomes.push(outcome);
    return tensors;
  };
  const addTensors = (into: LaneGradient["tensors"], from: LaneGradient["tensors"]) =>
    into.map((tensor, index) => {
      if (!tensor) return undefined;
      const added = engine.tf.add(tensor, from[index]!);
      tensor.dispose();
      from[index]!.dispose();
      return added;
    });
  const tensors = sumSubtree(subtree, request.leaves, computeLane, addTensors);
  const read = (work: LaneWork, position: number) => readMetrics(request.objective, classes, work, outcomes[position]!);
  const metrics = sumSubtree(subtree, request.leaves, read, addMetrics);
  store(parameters.layout, tensors, metrics, subtree.into);
}

function sumOnHost(trainee: Trainee, request: GradientsRequest, subtree: Subtree): void {
  const { host, objective, leaves } = request;
  const free = [subtree.into, ...host.scratch].reverse();
  const computeLane = (work: LaneWork) => {
    const vector = free.pop();
    if (!vector)
      throw new LimbeckError("internal", `${host.scratch.length} scratch vectors do not do for ${leaves} lanes`);
    const { tensors, outcome } = compute(trainee, request, work);
    const metrics = readMetrics(objective, trainee.classes, work, outcome);
    store(trainee.parameters.layout, tensors, metrics, vector);
    return vector;
  };
  sumSubtree(subtree, leaves, computeLane, (into, from) => {
    host.add(into, from);
    free.push(from);
    return into;
  });
}

/** Computes lanes in order and adds each pair as soon as both are there, so that few are held at once. */
function sumSubtree<Part>(
  { node, lanes }: Subtree,
  leaves: number,
  computeLane: (work: LaneWork, position: number) => Part,
  add: (into: Part, from: Part) => Part,
): Part {
  const held: Part[] = [];
  const pending = additions(
    lanes.map(({ lane }) => ({ level: 0, index: lane })),
    node,
    leaves,
  );
  let next = 0;
  lanes.forEach((work, position) => {
    held[position] = computeLane(work, position);
    // Additions are listed so that all that make up `from` come before it.
    for (let ready = pending[next]; ready && ready.from <= position; ready = pending[++next]) {
      held[ready.into] = add(held[ready.into]!, held[ready.from]!);
    }
  });
  return held[0]!;
}

function compute(trainee: Trainee, { objective, seed, step }: GradientsRequest, work: LaneWork): LaneGradient {
  return laneGradient(trainee, objective, { seed, step, lane: work.lane }, work);
}

/** Reads the tensors back into a gradient vector, and frees them. */
function store(
  { parameters, weights }: Layout,
  tensors: readonly (tfjs.Tensor | undefined)[],
  metrics: Float32Array,
  into: Float32Array,
): void {
  parameters.forEach(({ offset, size }, index) => {
    const tensor = tensors[index];
    if (tensor) readInto(tensor, into.subarray(offset, offset + size));
    else into.fill(0, offset, offset + size);
    tensor?.dispose();
  });
  into.set(metrics, weights);
}

const smallestNormal = 2 ** -126;

/** Rounds and flushes as the host's and the device's adders do. */
function addMetrics(into: Float32Array, from: Float32Array): Float32Array {
  const flushed = (value: number) => (Math.abs(value) < smallestNormal ? 0 : value);
  for (let at = 0; at < metricCount; at++) {
    into[at] = flushed(Math.fround(flushed(into[at]!) + flushed(from[at]!)));
  }
  return into;
}

/** The lanes as one: the only one as it is, several joined. */
function mergedWork({ inputShape, classes }: Trainee, lanes: readonly LaneWork[]): LaneWork {
  const [first, ...others] = lanes;
  if (!first) throw new LimbeckError("internal", "gradients of no lanes were asked for");
  if (others.length === 0) return first;
  const features = sizeOf(inputShape);
  const examples = lanes.reduce((sum, lane) => sum + lane.examples, 0);
  const inputs = new Float32Array(examples * features);
  const labels = new Int32Array(examples);
  const teacherLogits = first.teacherLogits && new Float32Array(examples * classes);
  let at = 0;
  for (const lane of lanes) {
    inputs.set(lane.inputs.subarray(0, lane.examples * features), at * features);
    labels.set(lane.labels.subarray(0, lane.examples), at);
    teacherLogits?.set(lane.teacherLogits!.subarray(0, lane.examples * classes), at * classes);
    at += lane.examples;
  }
  return { lane: first.lane, examples, inputs, labels, teacherLogits };
}
