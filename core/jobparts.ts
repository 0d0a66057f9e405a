/** The parts of the job schema that several stages or models share. */
import { z } from "zod";

const count = z.int().positive();
const probability = z.number().min(0).lt(1);

const activation = z.enum(["relu", "tanh", "sigmoid", "elu", "selu", "linear"]);

export const mlp = z
  .strictObject({
    kind: z.literal("mlp").describe("Dense layers, then one dense layer of logits."),
    widths: z.array(count).describe("Units of each hidden layer."),
    activation: activation.default("relu").describe("Activation of the hidden layers."),
    dropout: z
      .strictObject({
        input: probability.default(0).describe("Rate on the inputs."),
        hidden: probability.default(0).describe("Rate after every hidden layer."),
      })
      .prefault({})
      .describe("Dropout rates; seeded by (seed, step, lane)."),
    maxNorm: z
      .number()
      .positive()
      .optional()
      .describe(
        "Upper bound of the L2 norm of each unit's incoming weights in the hidden layers, enforced after every update.",
      ),
    classes: count.min(2).optional().describe("Logits; without it, the dataset's classes."),
  })
  .describe("Multi-layer perceptron.");

export const cnn = z
  .strictObject({
    kind: z.literal("cnn").describe("Convolution blocks, then dense layers, then one dense layer of logits."),
    blocks: z
      .array(
        z.strictObject({
          filters: count.describe("Filters of the block's convolutions."),
          kernel: count.default(3).describe("Side of the square kernel."),
          convolutions: count.default(1).describe("Convolutions in the block."),
          pool: z.int().min(1).default(2).describe("Side of the max pooling that ends the block; 1 for none."),
        }),
      )
      .min(1)
      .describe("Blocks of convolution, optional batch norm, activation; then max pooling."),
    widths: z.array(count).default([]).describe("Units of each dense layer before the logits."),
    activation: activation.default("relu").describe("Activation of all hidden layers."),
    batchNorm: z
      .boolean()
      .default(false)
      .describe("Batch normalization after every convolution; its statistics are averaged over all lanes."),
    dropout: probability.default(0).describe("Dropout rate before the logits; seeded by (seed, step, lane)."),
    classes: count.min(2).optional().describe("Logits; without it, the dataset's classes."),
  })
  .describe("Convolutional network.");

export const load = z
  .strictObject({
    load: z
      .string()
      .describe(
        "Folder or model.json of a tfjs LayersModel whose output is logits or ends in a softmax, relative to the job file.",
      ),
  })
  .describe("A model that exists.");

export const module = z
  .strictObject({
    module: z
      .string()
      .describe(
        "TypeScript or JavaScript file, relative to the job file, whose default export `({tf, inputShape, classes}) => tf.LayersModel` builds the model; its output is logits. `limbeck submit` sends a file with a relative path along with the job, one self-contained file within the job file's folder; an absolute path names a file of the workers' image.",
      ),
  })
  .describe("A model of your own.");

export const model = z.union([mlp, cnn, load, module]);
export type ModelSpec = z.output<typeof model>;
export type MlpSpec = z.output<typeof mlp>;
export type CnnSpec = z.output<typeof cnn>;

const optimizerShared = {
  learningRate: z
    .number()
    .positive()
    .describe("Peak learning rate; the schedule scales it. Gradients are means over the global batch."),
  weightDecay: z
    .number()
    .min(0)
    .default(0)
    .describe(
      "Weight decay on kernels, not on biases or batch norm: an L2 term in the gradient for sgd, momentum and adam; decoupled for adamw.",
    ),
  clipNorm: z.number().positive().optional().describe("Clip the whole gradient to this L2 norm."),
};
const adamShared = {
  beta1: probability.default(0.9).describe("Decay of the first moment."),
  beta2: probability.default(0.999).describe("Decay of the second moment."),
  epsilon: z.number().positive().default(1e-8).describe("Added to the denominator."),
};

export const optimizer = z
  .discriminatedUnion("kind", [
    z.strictObject({ kind: z.literal("sgd").describe("Stochastic gradient descent."), ...optimizerShared }),
    z.strictObject({
      kind: z.literal("momentum").describe("SGD with momentum."),
      ...optimizerShared,
      momentum: probability.default(0.9).describe("Decay of the velocity."),
      nesterov: z.boolean().default(false).describe("Nesterov's variant."),
    }),
    z.strictObject({
      kind: z.literal("adam").describe("Adam (Kingma and Ba 2015)."),
      ...optimizerShared,
      ...adamShared,
    }),
    z.strictObject({
      kind: z.literal("adamw").describe("Adam with decoupled weight decay (Loshchilov and Hutter 2019)."),
      ...optimizerShared,
      ...adamShared,
    }),
  ])
  .describe("The update rule.");
export type OptimizerSpec = z.output<typeof optimizer>;

const warmupSteps = z
  .int()
  .min(0)
  .default(0)
  .describe("Steps over which the learning rate rises linearly from 0 to its peak.");

export const schedule = z
  .discriminatedUnion("kind", [
    z.strictObject({ kind: z.literal("constant").describe("The learning rate stays."), warmupSteps }),
    z.strictObject({
      kind: z.literal("step").describe("The learning rate drops by `factor` every `everyEpochs`."),
      warmupSteps,
      everyEpochs: z.number().positive().describe("Epochs between drops."),
      factor: z.number().positive().max(1).describe("Multiplied in at every drop."),
    }),
    z.strictObject({
      kind: z
        .literal("cosine")
        .describe("The learning rate falls along a half cosine to `floor` times its peak at the last step."),
      warmupSteps,
      floor: z.number().min(0).max(1).default(0).describe("Final learning rate as a fraction of the peak."),
    }),
  ])
  .describe("How the learning rate changes over the steps.");
export type ScheduleSpec = z.output<typeof schedule>;

export const views = z
  .strictObject({
    shift: z
      .int()
      .min(0)
      .max(64)
      .default(0)
      .describe("Shift images by up to this many pixels in each direction, zeros moving in (Hinton's jitter)."),
    flip: z.boolean().default(false).describe("Flip images left to right, every second one by chance."),
    repeat: count
      .optional()
      .describe(
        "Epochs after which the views come again: an epoch has those of epoch mod `repeat`, and their soft targets are cached. Without it every epoch has its own.",
      ),
  })
  .describe("Augmented views, a pure function of (seed, epoch, example); `{}` for none.");
export type ViewSpec = z.output<typeof views>;

export const evaluation = z
  .strictObject({
    everyEpochs: z
      .int()
      .min(0)
      .default(1)
      .describe("Epochs between evaluations during a stage; 0 evaluates only at its end."),
    batch: count
      .max(1 << 16)
      .default(250)
      .describe("Examples per evaluation batch."),
    split: z
      .enum(["test", "validation"])
      .default("test")
      .describe("What is evaluated on; `validation` leaves the test set untouched while you tune."),
  })
  .prefault({})
  .describe("When and on what models are evaluated.");
