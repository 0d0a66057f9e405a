/** Jobs with a loaded teacher that knows MNIST without having been trained, for what a broken one would do. */
import { join } from "node:path";
import type { TestContext } from "node:test";
import * as tf from "@tensorflow/tfjs";
import type { CheckName, Finding } from "../../core/doctor/finding.ts";
import type { Job } from "../../core/job.ts";
import { layoutOf, sizeOf } from "../../core/layout.ts";
import type { Welcome__Output } from "../../proto/gen/limbeck/v1/Welcome.ts";
import { packagePath } from "../../proto/package.ts";
import { saveLayersModel } from "../../worker/artifacts/tfjs.ts";
import type { Device } from "../../worker/compute/device.ts";
import type { RequestKind } from "../../worker/compute/protocol.ts";
import type { WorkerContext } from "../../worker/context.ts";
import { openDataset } from "../../worker/data/open.ts";
import { openDevice } from "../../worker/preparation.ts";
import { soloOn, soloWelcome } from "../../worker/solo.ts";
import { scratchFolder, smokeJob } from "../worker/foreman.ts";
import type { Perceptron } from "../worker/inference/perceptron.ts";

const classes = 10;
const noOverrides: readonly string[] = [];

/** A linear classifier, [features, outputs] and [outputs]. */
export interface Linear {
  readonly kernel: Float32Array;
  readonly bias: Float32Array;
}

let means: Promise<Linear> | null = null;

/** The class whose mean picture is nearest: right on four of five digits. Logits x·μ - |μ|²/2 of pictures in [0, 1]. */
export function nearestMean(): Promise<Linear> {
  means ??= measureMeans();
  return means;
}

async function measureMeans(): Promise<Linear> {
  const dataset = await openDataset(smokeJob(), packagePath("examples"));
  const features = sizeOf(dataset.shape);
  const examples = dataset.count("train");
  const ids = Uint32Array.from({ length: examples }, (_, id) => id);
  const [inputs, labels] = [new Float32Array(examples * features), new Int32Array(examples)];
  dataset.examples("train", ids, null, inputs);
  dataset.labels("train", ids, labels);
  const kernel = new Float32Array(features * classes);
  const counts = labels.reduce((sum, label) => sum.with(label, sum[label]! + 1), new Float32Array(classes));
  for (let at = 0; at < inputs.length; at++) {
    const label = labels[Math.floor(at / features)]!;
    kernel[(at % features) * classes + label]! += inputs[at]! / counts[label]!;
  }
  const bias = new Float32Array(classes);
  for (let at = 0; at < kernel.length; at++) bias[at % classes]! -= kernel[at]! ** 2 / 2;
  return { kernel, bias };
}

/** Output c of the new one is output `order[c]` of the old. */
export function reordered({ kernel, bias }: Linear, order: readonly number[]): Linear {
  const at = (index: number) => Math.floor(index / classes) * classes + order[index % classes]!;
  return { kernel: kernel.map((_, index) => kernel[at(index)]!), bias: bias.map((_, index) => bias[order[index]!]!) };
}

export function scaled({ kernel, bias }: Linear, factor: number): Linear {
  return { kernel: kernel.map((value) => factor * value), bias: bias.map((value) => factor * value) };
}

/** Writes it as a tfjs LayersModel. @returns what to write into the job */
export async function savedTeacher(
  t: TestContext,
  { kernel, bias }: Linear,
  ending: readonly string[] = [],
): Promise<string> {
  await tf.setBackend("cpu");
  const outputs = bias.length;
  const model = tf.sequential({
    layers: [
      tf.layers.flatten({ inputShape: [28, 28, 1] }),
      tf.layers.dense({ name: "means", units: outputs }),
      ...ending.map((activation) => tf.layers.activation({ activation: activation as "softmax" })),
    ],
  });
  const order = model.weights.map(({ originalName }) => originalName);
  const shapes = [[kernel.length / outputs, outputs], [outputs]];
  const layout = layoutOf(order.map((name, at) => ({ name, shape: shapes[at]!, trainable: true, decays: false })));
  const weights = Float32Array.from([...kernel, ...bias]);
  const folder = join(scratchFolder(t), "teacher");
  await saveLayersModel(folder, { topology: model.toJSON(null, false), layout, order, weights });
  return folder;
}

/** As a network with a hidden layer, whose units are the logits and their opposites. */
export function asPerceptron({ kernel, bias }: Linear): Perceptron {
  const hidden = 2 * classes;
  const both = (values: Float32Array) =>
    Float32Array.from({ length: 2 * values.length }, (_, at) => {
      const value = values[Math.floor(at / hidden) * classes + (at % classes)]!;
      return at % hidden < classes ? value : -value;
    });
  const sign = (unit: number) => (unit < classes ? 1 : -1);
  const kernel2 = Float32Array.from({ length: hidden * classes }, (_, at) =>
    Math.floor(at / classes) % classes === at % classes ? sign(Math.floor(at / classes)) : 0,
  );
  const inputs = kernel.length / classes;
  return { inputs, hidden, classes, kernel: both(kernel), bias: both(bias), kernel2, bias2: new Float32Array(classes) };
}

export function jobWith(teacher: string, overrides = noOverrides): Job {
  return smokeJob("teach=null", `teacher={load: ${teacher}}`, ...overrides);
}

let shared: Device | null = null;

/** One compute thread for all patients of a file, which loads its engine once; closePatients() ends it. */
function sharedDevice(welcome: Welcome__Output): Device {
  if (shared) return shared;
  const device = openDevice(welcome);
  const ask = device.ask.bind(device);
  const { engine, threads } = JSON.parse(welcome.job) as Job;
  const opened = ask("open", { choice: engine, threads });
  device.ask = ((kind: RequestKind, request: never) => (kind === "open" ? opened : ask(kind, request))) as typeof ask;
  shared = device;
  return device;
}

/** After the last test. */
export async function closePatients(): Promise<void> {
  await shared?.close();
}

/** A worker by itself for this job, whose engine and threads are those of all others. */
export async function openPatient(t: TestContext, job: Job): Promise<WorkerContext> {
  const welcome = soloWelcome(job, packagePath("examples"), scratchFolder(t));
  const { context, close } = await soloOn(sharedDevice(welcome), welcome);
  t.after(close);
  return context;
}

/** What was found in so many words: check and severity of all that is not well. */
export function complaints(findings: readonly Finding[]): string[] {
  return findings
    .filter(({ severity }) => severity === "warning" || severity === "refusal")
    .map(({ check, severity }) => `${check}: ${severity}`);
}

export function found(findings: readonly Finding[], check: CheckName): Finding {
  return findings.find((finding) => finding.check === check)!;
}
