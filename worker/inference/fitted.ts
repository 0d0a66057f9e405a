/** A runner made to fit: the dataset's examples in, logits of the dataset's classes out. */

import { LimbeckError } from "../../core/errors.ts";
import type { AskedSpec } from "../../core/jobteacher.ts";
import { sizeOf } from "../../core/layout.ts";
import { excerpt } from "../../core/words.ts";
import { sha256Hex } from "../artifacts/digest.ts";
import { bracketed, type Fit, type Inference, type Runner, type Tensor } from "./inference.ts";
import { channelsFirst, exampleShape, type InputLayout, layoutFor } from "./layout.ts";

/**
 * Asks the model once, about zeros: what does not fit shows here and not in the middle of a job.
 * @throws `bad_model` that names the field and what would be right; the runner is disposed of then
 */
export async function fitted(runner: Runner, asked: AskedSpec, fit: Fit): Promise<Inference> {
  try {
    const layout = layoutFor(asked.layout, runner.input, fit);
    const inference = new FittedInference(
      runner,
      { layout, gives: asked.gives ?? "logits", batch: batchOf(runner, asked, fit) },
      fit,
    );
    const features = sizeOf(fit.inputShape);
    await inference.logits(new Float32Array(2 * features), 2);
    return inference;
  } catch (thrown) {
    await runner.dispose();
    throw thrown;
  }
}

/** As many as a job may say. */
const mostPerCall = 1 << 16;

/** Examples per call; null for as many as are wanted. */
function batchOf({ input, name }: Runner, { batch }: AskedSpec, { field }: Fit): number | null {
  const declared = input.shape?.[0] ?? null;
  if (declared !== null && !(declared >= 1 && declared <= mostPerCall)) {
    const message = `${field}: ${name} takes ${declared} examples per call, from 1 to ${mostPerCall} are supported`;
    throw new LimbeckError("bad_model", message);
  }
  if (batch !== undefined && declared !== null && batch !== declared) {
    throw new LimbeckError(
      "bad_model",
      `${field}.batch: is ${batch}, ${name} takes ${declared} examples per call: leave it out`,
    );
  }
  return batch ?? declared;
}

type Given = NonNullable<AskedSpec["gives"]>;

interface Manner {
  readonly layout: InputLayout;
  readonly gives: Given;
  readonly batch: number | null;
}

class FittedInference implements Inference {
  /** Of the model and of how it is asked: the same files read in another way give other logits (L6). */
  readonly sha256: string;
  readonly #runner: Runner;
  readonly #manner: Manner;
  readonly #fit: Fit;
  /** Shape of one example as the model takes it. */
  readonly #example: readonly number[];
  readonly #features: number;

  constructor(runner: Runner, manner: Manner, fit: Fit) {
    const { input, output } = runner;
    this.sha256 = sha256Hex(
      JSON.stringify([runner.sha256, input.name, output.name, manner.layout, manner.gives, manner.batch]),
    );
    this.#runner = runner;
    this.#manner = manner;
    this.#fit = fit;
    this.#example = exampleShape(manner.layout, fit.inputShape)!;
    this.#features = sizeOf(this.#example);
  }

  async logits(inputs: Float32Array, count: number): Promise<Float32Array> {
    const { classes } = this.#fit;
    const logits = new Float32Array(count * classes);
    const batch = this.#manner.batch ?? count;
    for (let from = 0; from < count; from += batch) {
      const examples = Math.min(batch, count - from);
      const values = await this.#call(
        inputs.subarray(from * this.#features, (from + examples) * this.#features),
        examples,
      );
      logits.set(values.subarray(0, examples * classes), from * classes);
    }
    return asLogits(logits, this.#manner.gives, `${this.#fit.field}.gives`);
  }

  /** Memory of its own for every call: a runtime may keep what it was given, and some refuse what threads share. */
  async #call(inputs: Float32Array, examples: number): Promise<Float32Array> {
    const rows = this.#manner.batch ?? examples;
    const values = new Float32Array(rows * this.#features);
    if (this.#manner.layout === "nchw") channelsFirst(inputs, examples, this.#fit.inputShape, values);
    else values.set(inputs);
    const answer = await this.#runner.run(values, [rows, ...this.#example]);
    this.#check(answer, rows);
    return answer.values;
  }

  #check({ shape, values }: Tensor, rows: number): void {
    const { field, classes } = this.#fit;
    if (shape.length === 2 && shape[0] === rows && shape[1] === classes && values.length === rows * classes) return;
    const { name, output } = this.#runner;
    if (shape.length === 2 && shape[0] === rows) {
      throw new LimbeckError("bad_model", `${field}: ${name} has ${shape[1]} classes, the dataset ${classes}`);
    }
    const message = `${field}: the output ${excerpt(output.name)} of ${name} is ${bracketed(shape)} for ${rows} examples, [${rows}, ${classes}] is needed`;
    throw new LimbeckError("bad_model", message);
  }

  async dispose(): Promise<void> {
    await this.#runner.dispose();
  }
}

/** The smallest normal float32: a probability below it is no number, and its logarithm is -87.3. */
const leastProbability = 2 ** -126;

/**
 * In place: log p is a logit of p, and so is log p plus any constant, for softmax(log p / T) is what a softened
 * distribution is (Hinton et al. 2015, section 2).
 */
function asLogits(values: Float32Array, gives: Given, field: string): Float32Array {
  if (gives === "logits") return values;
  const highest = gives === "probabilities" ? 1.001 : 0.001;
  for (let at = 0; at < values.length; at++) {
    const value = values[at]!;
    if (value > highest || (gives === "probabilities" && value < -0.001)) {
      throw new LimbeckError("bad_model", `${field}: is ${gives}, but an output is ${value}: is it one of logits?`);
    }
    if (gives === "probabilities") values[at] = Math.log(Math.max(value, leastProbability));
  }
  return values;
}
