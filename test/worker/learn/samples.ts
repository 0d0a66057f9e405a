/** Small networks, lanes and requests for the tests. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { model } from "../../../core/jobparts.ts";
import { type MetricName, metricCount, metricNames } from "../../../core/layout.ts";
import { hash32, randomStream } from "../../../core/random.ts";
import { maximalSubtrees, rootOf } from "../../../core/tree.ts";
import { packagePath } from "../../../proto/package.ts";
import { Arena } from "../../../worker/arena.ts";
import type { Engine } from "../../../worker/engine/engine.ts";
import { loadKernels } from "../../../worker/kernels/kernels.ts";
import { type GradientsRequest, hostScratchVectors } from "../../../worker/learn/gradients.ts";
import type { LaneWork } from "../../../worker/learn/lane.ts";
import { buildNetwork, type Network, type NetworkRequest } from "../../../worker/learn/network.ts";

export const fixtures = packagePath("test/fixtures/models");
export const classes = 3;
export const pictures = [6, 6, 1];

export const specs = {
  plain: { kind: "mlp", widths: [5], activation: "tanh" },
  mlp: { kind: "mlp", widths: [8, 5], dropout: { input: 0.2, hidden: 0.5 }, maxNorm: 2 },
  cnn: { kind: "cnn", blocks: [{ filters: 3, convolutions: 2 }], widths: [5], batchNorm: true, dropout: 0.3 },
  module: { module: "residual.ts" },
} as const;

/** @param spec as a user may write it */
export function build(engine: Engine, spec: unknown, rest: Partial<NetworkRequest> = {}): Promise<Network> {
  const request = { inputShape: pictures, classes, seed: 7, jobFolder: fixtures, role: "student", ...rest };
  return buildNetwork(engine, { ...request, spec: model.parse(spec) });
}

/** Builds the model of a module whose default export has this body. */
export function buildModule(engine: Engine, body: string, rest: Partial<NetworkRequest> = {}): Promise<Network> {
  return buildSource(engine, `export default ({ tf, inputShape, classes }) => { ${body} };`, rest);
}

const folders: string[] = [];
process.once("exit", () => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

/** A folder that goes when the process does. */
export function scratchFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "limbeck-learn-"));
  folders.push(folder);
  return folder;
}

export function buildSource(engine: Engine, source: string, rest: Partial<NetworkRequest> = {}): Promise<Network> {
  const jobFolder = scratchFolder();
  writeFileSync(join(jobFolder, "made.ts"), source);
  return build(engine, { module: "made.ts" }, { ...rest, jobFolder });
}

/** Lanes of the examples given, made from the lane number alone. */
export function lanesOf(examples: readonly number[], features = 36): LaneWork[] {
  return examples.map((count, lane) => {
    const draw = randomStream(99, lane);
    const floats = (length: number) => Float32Array.from({ length }, () => draw() * 2 - 1);
    const labels = Int32Array.from({ length: count }, (_, row) => hash32(lane, row) % classes);
    return { lane, examples: count, inputs: floats(count * features), labels, teacherLogits: floats(count * classes) };
  });
}

/** Memory and adder as a worker has them. */
export function hostOf(network: Network, leaves: number) {
  const vector = network.layout.gradient;
  const arena = Arena.create(4 * (vector + 16) * (2 * leaves + hostScratchVectors(leaves) + 1));
  const scratch = Array.from({ length: hostScratchVectors(leaves) }, () => arena.floats(vector));
  return { vector: () => arena.floats(vector), host: { add: loadKernels(arena.memory).add, scratch } };
}

export const objective = { temperature: 2, softWeight: 0.6 };

/** The gradient vectors of all lanes of a step, held by one worker. */
export function gradientOf(
  network: Network,
  lanes: readonly LaneWork[],
  rest: Partial<GradientsRequest> = {},
): Float32Array {
  const { vector, host } = hostOf(network, lanes.length);
  const into = vector();
  const nodes = [rootOf(lanes.length)];
  const request = { objective, seed: 7, step: 4, lanes, merged: false, nodes, leaves: lanes.length, host, ...rest };
  network.gradients(request, [into]);
  return into;
}

/** The partial sums of a worker that holds lanes [first, first + count), and the adder that goes with them. */
export function partialsOf(network: Network, lanes: readonly LaneWork[], share: { first: number; count: number }) {
  const { vector, host } = hostOf(network, lanes.length);
  const { first, count } = share;
  const nodes = maximalSubtrees(first, count, lanes.length);
  const held = nodes.map(vector);
  const own = lanes.slice(first, first + count);
  network.gradients(
    { objective, seed: 7, step: 4, lanes: own, merged: false, nodes, leaves: lanes.length, host },
    held,
  );
  return { nodes, held };
}

export function metricOf(gradient: Float32Array, name: MetricName): number {
  return gradient[gradient.length - metricCount + metricNames.indexOf(name)]!;
}

/** A parameter's floats within a gradient or weights vector. */
export function part({ layout }: Network, vector: Float32Array, name: string): Float32Array {
  const found = layout.parameters.find((parameter) => parameter.name === name);
  if (!found) throw new Error(`no ${name} among ${layout.parameters.map((parameter) => parameter.name).join(", ")}`);
  return vector.slice(found.offset, found.offset + found.size);
}

export function bits(values: Float32Array): Uint32Array {
  return new Uint32Array(values.slice().buffer);
}
