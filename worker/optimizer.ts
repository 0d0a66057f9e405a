/** The update of the weights, in place on the flat vectors: one or a few passes of the kernels, always with the same bits (L1). */
import { LimbeckError } from "../core/errors.ts";
import type { OptimizerSpec } from "../core/jobparts.ts";
import type { Layout } from "../core/layout.ts";
import type { KernelExports } from "./kernels/exports.ts";
import type { Kernels } from "./kernels/kernels.ts";
import { optimizerSlots } from "./optimizers/slots.ts";
import { type Span, spansOf } from "./optimizers/spans.ts";

export interface Update {
  /** [layout.weights], changed in place. */
  readonly weights: Float32Array;
  /** [layout.gradient], sums over the examples; left as it is. */
  readonly sum: Float32Array;
  /** [slots · layout.trainable], zeros before the first update: velocities, or first then second moments. */
  readonly state: Float32Array;
  /** Of the global batch: what the sums are divided by, once. */
  readonly examples: number;
  /** 1 for the first update. */
  readonly step: number;
  /** After the schedule. */
  readonly learningRate: number;
}

export interface Optimizer {
  /** @returns the L2 norm of the mean gradient of the trainable part, before clipping and weight decay */
  apply(update: Update): { gradientNorm: number };
}

/** Byte addresses of the vectors of one update. */
interface Addresses {
  readonly weights: number;
  readonly sum: number;
  readonly state: number;
}

interface Rule {
  /** Updates the weights of a span. `scale` turns the sums into the clipped mean gradient. */
  run(at: Addresses, span: Span, update: Update, scale: number): void;
}

/** The vectors given to `apply` must be of the kernels' memory. `apply` allocates no vector and keeps nothing between updates. */
export function createOptimizer(kernels: Kernels, spec: OptimizerSpec, layout: Layout): Optimizer {
  const { exports } = kernels;
  const slots = optimizerSlots(spec).length;
  const spans = spansOf(layout, spec.weightDecay);
  const rule = ruleOf(exports, spec, layout.trainable);
  const constrained = layout.parameters.filter((parameter) => parameter.trainable && parameter.maxNorm !== undefined);
  const averaged = layout.parameters.filter(
    (parameter) => !parameter.trainable && parameter.averagingMomentum !== undefined,
  );

  const apply = (update: Update) => {
    check(update, layout, slots);
    const { weights, sum, state, examples } = update;
    const at = { weights: kernels.addressOf(weights), sum: kernels.addressOf(sum), state: kernels.addressOf(state) };
    const gradientNorm = Math.sqrt(exports.sumOfSquares(at.sum, layout.trainable)) / examples;
    const { clipNorm } = spec;
    const clipping = clipNorm !== undefined && gradientNorm > clipNorm ? clipNorm / gradientNorm : 1;
    for (const span of spans) rule.run(at, span, update, clipping / examples);
    for (const { offset, size, shape, maxNorm } of constrained) {
      const units = shape.at(-1) ?? 1;
      exports.maxNorm(at.weights + 4 * offset, size / units, units, maxNorm!);
    }
    for (const { offset, size, averagingMomentum } of averaged) {
      const keep = averagingMomentum!;
      exports.average(at.weights + 4 * offset, at.sum + 4 * offset, size, keep, (1 - keep) / examples);
    }
    return { gradientNorm };
  };
  return { apply };
}

function ruleOf(exports: KernelExports, spec: OptimizerSpec, trainable: number): Rule {
  switch (spec.kind) {
    case "sgd":
      return {
        run: (at, { offset, size, decay }, { learningRate }, scale) =>
          exports.sgd(at.weights + 4 * offset, at.sum + 4 * offset, size, scale, decay, learningRate),
      };
    case "momentum": {
      const { momentum } = spec;
      const nesterov = spec.nesterov ? 1 : 0;
      return {
        run: (at, { offset, size, decay }, { learningRate }, scale) => {
          const velocity = at.state + 4 * offset;
          const weights = at.weights + 4 * offset;
          const sum = at.sum + 4 * offset;
          exports.momentum(weights, sum, velocity, size, scale, decay, learningRate, momentum, nesterov);
        },
      };
    }
    case "adam":
    case "adamw": {
      const { beta1, beta2, epsilon } = spec;
      const decoupled = spec.kind === "adamw";
      return {
        run: (at, { offset, size, decay }, { step, learningRate }, scale) => {
          const first = at.state + 4 * offset;
          exports.adam(
            at.weights + 4 * offset,
            at.sum + 4 * offset,
            first,
            first + 4 * trainable,
            size,
            scale,
            decoupled ? 0 : decay,
            learningRate / (1 - power(beta1, step)),
            beta1,
            1 - beta1,
            beta2,
            1 - beta2,
            1 / (1 - power(beta2, step)),
            epsilon,
            decoupled ? learningRate * decay : 0,
          );
        },
      };
    }
  }
}

/** base^exponent by squaring. Math.pow may differ in the last bit between machines (L1); multiplication does not. */
function power(base: number, exponent: number): number {
  let result = 1;
  for (let square = base, rest = exponent; rest > 0; square *= square, rest = Math.floor(rest / 2)) {
    if (rest % 2 === 1) result *= square;
  }
  return result;
}

function check({ weights, sum, state, examples, step }: Update, layout: Layout, slots: number): void {
  const fits =
    weights.length === layout.weights && sum.length === layout.gradient && state.length === slots * layout.trainable;
  if (!fits) {
    throw new LimbeckError(
      "internal",
      `vectors of ${weights.length} weights, ${sum.length} gradients and ${state.length} floats of optimizer state do not fit a layout of ${layout.weights}, ${layout.gradient} and ${slots * layout.trainable}`,
    );
  }
  if (!(examples > 0 && Number.isInteger(step) && step >= 1)) {
    throw new LimbeckError("internal", `update ${step} over ${examples} examples: both must be 1 or more`);
  }
}
