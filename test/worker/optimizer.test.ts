import assert from "node:assert/strict";
import { test } from "node:test";
import { type OptimizerSpec, optimizer as schema } from "../../core/jobparts.ts";
import { type Layout, layoutOf, metricCount } from "../../core/layout.ts";
import { randomStream } from "../../core/random.ts";
import { Arena } from "../../worker/arena.ts";
import { loadKernels } from "../../worker/kernels/kernels.ts";
import { createOptimizer } from "../../worker/optimizer.ts";
import { optimizerSlots } from "../../worker/optimizers/slots.ts";
import { bitsOf } from "./kernels/bits.ts";
import { referenceOf, referenceUpdate } from "./referenceoptimizer.ts";

const arena = Arena.create(1 << 20);
const kernels = loadKernels(arena.memory);

// Odd sizes throughout: every parameter begins and ends inside a vector of four lanes.
const layout = layoutOf([
  { name: "conv/kernel", shape: [3, 3, 2, 7], trainable: true, decays: true, maxNorm: 0.9 },
  { name: "conv/bias", shape: [7], trainable: true, decays: false },
  { name: "norm/scale", shape: [7], trainable: true, decays: false },
  { name: "norm/mean", shape: [7], trainable: false, decays: false, averagingMomentum: 0.9 },
  { name: "frozen", shape: [5], trainable: false, decays: false },
  { name: "norm/variance", shape: [7], trainable: false, decays: false, averagingMomentum: 0.99 },
  { name: "dense/kernel", shape: [9, 5], trainable: true, decays: true, maxNorm: 0.5 },
  { name: "last/kernel", shape: [5, 3], trainable: true, decays: true },
  { name: "last/bias", shape: [3], trainable: true, decays: false },
]);
const steps = 6;
const examples = 250;
const learningRate = 0.05;

interface Vectors {
  readonly weights: Float32Array;
  readonly sum: Float32Array;
  readonly state: Float32Array;
}

const vectorsOf = (slots: number, of: Layout = layout): Vectors => ({
  weights: arena.floats(of.weights),
  sum: arena.floats(of.gradient),
  state: arena.floats(slots * of.trainable),
});

function drawn(into: Float32Array, size: number, ...seed: number[]): void {
  const random = randomStream(...seed);
  for (let i = 0; i < into.length; i++) into[i] = size * (2 * random() - 1);
}

/** Trains by the kernels; `each` sees the vectors after every update. */
function trained(spec: OptimizerSpec, each: (vectors: Vectors, step: number, gradientNorm: number) => void): Vectors {
  const optimizer = createOptimizer(kernels, spec, layout);
  const vectors = vectorsOf(optimizerSlots(spec).length);
  drawn(vectors.weights, 0.4, 1);
  for (let step = 1; step <= steps; step++) {
    drawn(vectors.sum, 0.5 * examples, 2, step);
    const { gradientNorm } = optimizer.apply({ ...vectors, examples, step, learningRate: learningRate / step });
    each(vectors, step, gradientNorm);
  }
  return vectors;
}

const close = (got: number, wanted: number) => Math.abs(got - wanted) <= 1e-5 * Math.max(Math.abs(wanted), 0.01);

const rules = {
  sgd: { kind: "sgd", learningRate },
  "sgd with decay": { kind: "sgd", learningRate, weightDecay: 0.1 },
  "sgd, clipped": { kind: "sgd", learningRate, clipNorm: 1.5 },
  "sgd, a clip norm it does not reach": { kind: "sgd", learningRate, clipNorm: 1e3 },
  momentum: { kind: "momentum", learningRate },
  "momentum, nesterov, decay, clipped": {
    kind: "momentum",
    learningRate,
    momentum: 0.7,
    nesterov: true,
    weightDecay: 0.1,
    clipNorm: 2,
  },
  adam: { kind: "adam", learningRate },
  "adam, decay, clipped": { kind: "adam", learningRate, weightDecay: 0.3, clipNorm: 0.5, epsilon: 1e-3, beta1: 0.8 },
  adamw: { kind: "adamw", learningRate, weightDecay: 0.3, beta2: 0.95 },
};

for (const [name, given] of Object.entries(rules)) {
  const spec = schema.parse(given);

  test(`${name}: as the rule in float64, over ${steps} updates`, () => {
    const start = new Float32Array(layout.weights);
    drawn(start, 0.4, 1);
    const reference = referenceOf(start);
    trained(spec, ({ weights, sum }, step, gradientNorm) => {
      const norm = referenceUpdate(spec, layout, reference, { sum, examples, step, learningRate: learningRate / step });
      assert.ok(close(gradientNorm, norm), `gradient norm ${gradientNorm}, not ${norm}, after update ${step}`);
      for (const { name: parameter, offset, size } of layout.parameters) {
        for (let i = offset; i < offset + size; i++) {
          const [got, wanted] = [weights[i]!, reference.weights[i]!];
          assert.ok(close(got, wanted), `${parameter}[${i - offset}] is ${got}, not ${wanted}, after update ${step}`);
        }
      }
    });
  });

  test(`${name}: the same bits in other memory, and the sums untouched`, () => {
    const sums: number[][] = [];
    const one = trained(spec, ({ sum }) => sums.push(bitsOf(sum)));
    arena.floats(1);
    const other = trained(spec, () => {});
    assert.deepEqual(bitsOf(one.weights), bitsOf(other.weights));
    assert.deepEqual(bitsOf(one.state), bitsOf(other.state));
    const given = new Float32Array(layout.gradient);
    drawn(given, 0.5 * examples, 2, steps);
    assert.deepEqual(sums.at(-1), bitsOf(given));
  });
}

test("the bound on the norm holds where it bound, and nowhere else", () => {
  const one = layoutOf([{ name: "kernel", shape: [3, 6], trainable: true, decays: false, maxNorm: 2 }]);
  const optimizer = createOptimizer(kernels, schema.parse({ kind: "sgd", learningRate }), one);
  const vectors = vectorsOf(0, one);
  // Columns: norms 8, 2, 4, 1, 0 and 6.
  vectors.weights.set([8, 2, 4, 0, 0, 4, 0, 0, 0, 1, 0, 4, 0, 0, 0, 0, 0, -2]);
  optimizer.apply({ ...vectors, examples: 1, step: 1, learningRate });
  const expected = [2, 2, 2, 0, 0, 4 / 3, 0, 0, 0, 1, 0, 4 / 3, 0, 0, 0, 0, 0, -2 / 3].map(Math.fround);
  assert.deepEqual([...vectors.weights], expected);
});

test("metrics behind the gradient change nothing, and examples divide once", () => {
  const one = layoutOf([{ name: "w", shape: [5], trainable: true, decays: true }]);
  assert.equal(one.gradient, 5 + metricCount);
  const optimizer = createOptimizer(kernels, schema.parse({ kind: "sgd", learningRate: 1, clipNorm: 10 }), one);
  const vectors = vectorsOf(0, one);
  vectors.sum.set([8, 0, 0, 0, -8, 1e30, Number.NaN, 1e30, 1e30, 1e30, 1e30]);
  const { gradientNorm } = optimizer.apply({ ...vectors, examples: 4, step: 1, learningRate: 1 });
  assert.equal(gradientNorm, Math.sqrt(8));
  assert.deepEqual([...vectors.weights], [-2, 0, 0, 0, 2]);
});

test("moments that fade away end as zeros, not as denormals", () => {
  const one = layoutOf([{ name: "w", shape: [6], trainable: true, decays: false }]);
  const optimizer = createOptimizer(kernels, schema.parse({ kind: "adam", learningRate, beta2: 0.9 }), one);
  const vectors = vectorsOf(2, one);
  vectors.state.fill(1e-37);
  for (let step = 1; step <= 100; step++) optimizer.apply({ ...vectors, examples: 1, step, learningRate });
  assert.ok(vectors.state.every((value) => value === 0));
});

test("vectors of another layout are refused", () => {
  const optimizer = createOptimizer(kernels, schema.parse({ kind: "adam", learningRate }), layout);
  const vectors = vectorsOf(1);
  const update = { ...vectors, examples, step: 1, learningRate };
  assert.throws(() => optimizer.apply(update), { code: "internal", message: /optimizer state/ });
  const fitting = { ...update, state: arena.floats(2 * layout.trainable) };
  assert.throws(() => optimizer.apply({ ...fitting, examples: 0 }), { code: "internal", message: /0 examples/ });
  assert.throws(() => optimizer.apply({ ...fitting, step: 0 }), { code: "internal" });
  const foreign = { ...fitting, weights: new Float32Array(layout.weights) };
  assert.throws(() => optimizer.apply(foreign), { code: "internal", message: /not of the kernels' memory/ });
});
