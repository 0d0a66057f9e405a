/** What holds of the loss on every engine. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { randomStream } from "../../../core/random.ts";
import type { Engine } from "../../../worker/engine/engine.ts";
import { losses, type Objective, weightedLoss } from "../../../worker/learn/loss.ts";

interface Example {
  readonly logits: readonly number[];
  readonly teacher: readonly number[];
  readonly label: number;
}

export function lossClaims(engine: Engine): void {
  const { tf } = engine;

  function lossesOf(objective: Objective | null, examples: readonly Example[]) {
    const [rows, classes] = [examples.length, examples[0]!.logits.length];
    return tf.tidy(() => {
      const logits = tf.tensor2d(
        examples.flatMap((each) => each.logits),
        [rows, classes],
      );
      const targets = tf.tensor2d(
        examples.flatMap((each) => oneHot(each.label, classes)),
        [rows, classes],
      );
      const teacherLogits =
        objective &&
        tf.tensor2d(
          examples.flatMap((each) => each.teacher),
          [rows, classes],
        );
      const { gradient, hard, soft } = losses(engine, objective, { logits, targets, teacherLogits });
      return { gradient: [...gradient.dataSync()], hard: [...hard.dataSync()], soft: soft ? [...soft.dataSync()] : [] };
    });
  }

  test("the loss of two classes is what a pocket calculator says", () => {
    // softmax(z) = [1/4, 3/4]; v/T = [0, ln 3], so the soft target is [1/4, 3/4]; softmax(z/T) = [1, √3] / (1 + √3).
    const objective = { temperature: 2, softWeight: 0.25 };
    const example = { logits: [0, Math.log(3)], teacher: [0, Math.log(9)], label: 1 };
    const { gradient, hard, soft } = lossesOf(objective, [example]);
    close(hard, [0.2876821]);
    close(soft, [0.5930729]);
    close([weightedLoss(objective, hard[0]!, soft[0]!)], [0.8088345]);
    close(gradient, [0.2455127, -0.2455127]);
  });

  test("without an objective the loss is cross-entropy on the labels", () => {
    const { gradient, hard, soft } = lossesOf(null, [{ logits: [0, Math.log(3)], teacher: [], label: 0 }]);
    close(hard, [1.3862944]);
    close(gradient, [-0.75, 0.75]);
    assert.deepEqual(soft, []);
    assert.equal(weightedLoss(null, 3, 5), 3);
  });

  for (const softWeight of [0, 0.3, 1]) {
    test(`the gradient agrees with finite differences at softWeight ${softWeight}`, () => {
      const objective = { temperature: 3, softWeight };
      const draw = randomStream(5);
      const logits = () => Array.from({ length: 4 }, () => draw() * 6 - 3);
      const examples = [0, 1, 2].map((label) => ({ logits: logits(), teacher: logits(), label }));
      const expected = examples.flatMap((each) => each.logits.map((_, at) => slope(objective, each, at)));
      close(lossesOf(objective, examples).gradient, expected, 1e-5);
    });
  }

  test("T² keeps the size of the soft term's gradient as T grows", () => {
    // Hinton et al. 2015, equation 4: with zero-meaned logits the gradient tends to (z - v) / classes.
    const example = { logits: [1.5, -0.5, -1], teacher: [-1, 2, -1], label: 0 };
    for (const temperature of [20, 40, 80]) {
      const { gradient } = lossesOf({ temperature, softWeight: 1 }, [example]);
      close(gradient, [2.5 / 3, -2.5 / 3, 0], 0.05);
    }
  });

  function close(actual: readonly number[], expected: readonly number[], tolerance = 1e-6): void {
    assert.equal(actual.length, expected.length);
    actual.forEach((value, at) => {
      assert.ok(Math.abs(value - expected[at]!) <= tolerance, `[${actual}] is not near [${expected}]`);
    });
  }
}

/** The whole loss of one example, in float64. */
function reference({ temperature, softWeight }: Objective, { logits, teacher, label }: Example): number {
  const hard = -logSoftmax(logits, 1)[label]!;
  const own = logSoftmax(logits, temperature);
  const soft = -logSoftmax(teacher, temperature).reduce((sum, log, at) => sum + Math.exp(log) * own[at]!, 0);
  return (1 - softWeight) * hard + softWeight * temperature ** 2 * soft;
}

function slope(objective: Objective, example: Example, at: number): number {
  const width = 1e-5;
  const moved = (by: number) => example.logits.map((logit, index) => (index === at ? logit + by : logit));
  const [up, down] = [width, -width].map((by) => reference(objective, { ...example, logits: moved(by) }));
  return (up! - down!) / (2 * width);
}

function logSoftmax(logits: readonly number[], temperature: number): number[] {
  const scaled = logits.map((logit) => logit / temperature);
  const logSum = Math.log(scaled.reduce((sum, logit) => sum + Math.exp(logit), 0));
  return scaled.map((logit) => logit - logSum);
}

function oneHot(label: number, classes: number): number[] {
  return Array.from({ length: classes }, (_, at) => (at === label ? 1 : 0));
}
