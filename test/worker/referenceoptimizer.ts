/** The update rules once more, from their papers, in float64 and one float at a time: what the kernels are compared with. */
import type { OptimizerSpec } from "../../core/jobparts.ts";
import type { Layout, Parameter } from "../../core/layout.ts";

interface Reference {
  readonly weights: number[];
  /** First and second moments, or velocities. */
  readonly first: number[];
  readonly second: number[];
}

export function referenceOf(weights: ArrayLike<number>): Reference {
  const values = Array.from(weights);
  return { weights: values, first: values.map(() => 0), second: values.map(() => 0) };
}

interface Step {
  readonly sum: ArrayLike<number>;
  readonly examples: number;
  readonly step: number;
  readonly learningRate: number;
}

/** One update in place; returns the gradient norm before clipping. */
export function referenceUpdate(spec: OptimizerSpec, layout: Layout, reference: Reference, step: Step): number {
  const mean = Array.from(step.sum, (value) => value / step.examples);
  const norm = Math.hypot(...mean.slice(0, layout.trainable));
  const clipped = spec.clipNorm !== undefined && norm > spec.clipNorm ? spec.clipNorm / norm : 1;
  for (const parameter of layout.parameters) {
    for (let i = parameter.offset; i < parameter.offset + parameter.size; i++) {
      if (parameter.trainable) train(spec, parameter, reference, i, clipped * mean[i]!, step);
      else if (parameter.averagingMomentum !== undefined) {
        const kept = parameter.averagingMomentum;
        reference.weights[i] = kept * reference.weights[i]! + (1 - kept) * mean[i]!;
      }
    }
    if (parameter.trainable && parameter.maxNorm !== undefined) project(parameter, reference.weights);
  }
  return norm;
}

function train(
  spec: OptimizerSpec,
  { decays }: Parameter,
  { weights, first, second }: Reference,
  i: number,
  mean: number,
  { step, learningRate }: Step,
): void {
  const w = weights[i]!;
  const decay = decays ? spec.weightDecay : 0;
  const g = spec.kind === "adamw" ? mean : mean + decay * w;
  switch (spec.kind) {
    case "sgd":
      weights[i] = w - learningRate * g;
      break;
    case "momentum":
      first[i] = spec.momentum * first[i]! + g;
      weights[i] = w - learningRate * (spec.nesterov ? g + spec.momentum * first[i]! : first[i]!);
      break;
    case "adam":
    case "adamw": {
      first[i] = spec.beta1 * first[i]! + (1 - spec.beta1) * g;
      second[i] = spec.beta2 * second[i]! + (1 - spec.beta2) * g * g;
      const m = first[i]! / (1 - spec.beta1 ** step);
      const v = second[i]! / (1 - spec.beta2 ** step);
      const apart = spec.kind === "adamw" ? learningRate * decay * w : 0;
      weights[i] = w - apart - (learningRate * m) / (Math.sqrt(v) + spec.epsilon);
    }
  }
}

function project({ offset, size, shape, maxNorm }: Parameter, weights: number[]): void {
  const units = shape.at(-1)!;
  for (let unit = 0; unit < units; unit++) {
    const column = Array.from({ length: size / units }, (_, row) => offset + row * units + unit);
    const norm = Math.hypot(...column.map((i) => weights[i]!));
    if (norm > maxNorm!) for (const i of column) weights[i] = (weights[i]! * maxNorm!) / norm;
  }
}
