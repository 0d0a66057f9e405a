/** The doctor's judgement on numbers made by hand: what must not be missed, and what must not be cried at. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { teacherAccuracy } from "../../../core/doctor/accuracy.ts";
import { pairing, replicas } from "../../../core/doctor/agreement.ts";
import { bestAssignment } from "../../../core/doctor/assignment.ts";
import { type Finding, refusalOf } from "../../../core/doctor/finding.ts";
import { otherScalings } from "../../../core/doctor/scalings.ts";
import { softTargets } from "../../../core/doctor/softtargets.ts";
import { randomStream } from "../../../core/random.ts";

const draw = randomStream(3);

test("the assignment is the best of all orders", () => {
  for (let round = 0; round < 40; round++) {
    const n = 1 + (round % 6);
    const values = Float64Array.from({ length: n * n }, () => Math.floor(draw() * 20));
    const worth = (order: readonly number[]) => order.reduce((sum, column, row) => sum + values[row * n + column]!, 0);
    const chosen = [...bestAssignment(values, n)];
    assert.deepEqual([...chosen].sort(), [...Array(n).keys()], "every column once");
    assert.equal(worth(chosen), Math.max(...orders(n).map(worth)));
  }
});

function orders(n: number): number[][] {
  if (n === 0) return [[]];
  return orders(n - 1).flatMap((order) => Array.from({ length: n }, (_, at) => order.toSpliced(at, 0, n - 1)));
}

/** A teacher that is right on this share of `examples`, else anywhere. */
function sampled(classes: number, examples: number, share: number) {
  const labels = Int32Array.from({ length: examples }, () => Math.floor(draw() * classes));
  const other = () => Math.floor(draw() * classes);
  return { labels, predictions: Uint16Array.from(labels, (label) => (draw() < share ? label : other())), classes };
}

for (const classes of [2, 10, 100]) {
  test(`of ${classes} classes: chance is refused, for what it is; a weak teacher is not`, () => {
    const examples = Math.max(512, 32 * classes);
    const chance = teacherAccuracy(sampled(classes, examples, 0), []);
    assert.equal(chance.severity, "refusal");
    assert.match(chance.message, /there is nothing to learn from it/, "no order of the classes explains it");
    assert.equal(teacherAccuracy(sampled(classes, examples, 0.4), []).severity, "ok");
    const sample = sampled(classes, examples, 0.9);
    const turned = { ...sample, predictions: sample.predictions.map((each) => (each + 1) % classes) };
    assert.match(teacherAccuracy(turned, []).message, /classes in another order/);
  });
}

test("a teacher that always says the most frequent class knows nothing, however often it is right", () => {
  const labels = Int32Array.from({ length: 600 }, (_, at) => (at % 20 === 0 ? 1 : 0));
  const finding = teacherAccuracy({ labels, predictions: new Uint16Array(600), classes: 2 }, []);
  assert.equal(finding.severity, "refusal");
  assert.equal(finding.evidence["accuracy"], 0.95);
  const knows = labels.map((label, at) => (at % 60 === 0 ? 0 : label));
  assert.equal(teacherAccuracy({ labels, predictions: Uint16Array.from(knows), classes: 2 }, []).severity, "ok");
});

test("the other scalings are those that the inputs do not have, column by column in tables", () => {
  const bytes = Float32Array.of(0, 51, 102, 255);
  const names = (inputs: Float32Array, columns: number) =>
    otherScalings(inputs, columns).map(({ name }) => name.split(": ")[1]);
  assert.deepEqual(names(bytes, 1), ["unit", "standardize", "{mean"]);
  assert.deepEqual(
    names(
      bytes.map((value) => value / 255),
      1,
    ),
    ["standardize", "{mean", "none"],
  );
  const [unit] = otherScalings(Float32Array.of(1, 10, 3, 30, 2, 20), 2);
  assert.deepEqual([...unit!.inputs], [0, 0, 1, 1, 0.5, 0.5]);
});

test("probabilities that are claimed must sum to one; logarithms of them do as logits", () => {
  const labels = Int32Array.of(0, 1, 0);
  const sample = (values: readonly number[]) => ({ logits: Float32Array.from(values), labels, classes: 2 });
  const logs = [0.9, 0.1, 0.2, 0.8, 0.7, 0.3].map(Math.log);
  assert.equal(softTargets(sample(logs), "probabilities").severity, "ok");
  const halved = softTargets(sample(logs.map((log) => log - Math.LN2)), "probabilities");
  assert.equal(halved.severity, "refusal");
  assert.match(halved.message, /sum to 0\.5000/);
  assert.match(softTargets(sample([1, 2, Number.NaN, 1, 0, 1]), "logits").message, /NaN for class 0 of example 1/);
});

test("a teacher that is right on the whole sample, and sure of it, has softened nothing", () => {
  const labels = Int32Array.from({ length: 512 }, (_, at) => at % 10);
  const logits = (scale: number) =>
    Float32Array.from({ length: 5120 }, (_, at) => (at % 10 === labels[Math.floor(at / 10)] ? 9 * scale : draw()));
  assert.equal(softTargets({ logits: logits(1), labels, classes: 10 }, "logits").severity, "ok");
  const softened = softTargets({ logits: logits(1).map((value) => value / 12), labels, classes: 10 }, "logits");
  assert.equal(softened.severity, "warning");
  assert.match(softened.message, /right on 100.0 % of 512 examples, and gives its answers a probability of 1\d\.\d %/);
});

const lane = (from: string, logits: readonly number[], examples = [5, 6, 7]) => ({
  from,
  examples: Uint32Array.from(examples),
  logits: Float32Array.from(logits),
});

test("rounding to float16 is no difference; a row of another example is, and is named", () => {
  const served = lane("teacher-1", [10, -3, 0.5, 2, -8, 4]);
  const rounded = lane("itself", [10.004, -3.001, 0.5002, 2.0009, -8.003, 4.001]);
  assert.equal(pairing(served, [rounded], 2).severity, "ok");
  const mixed = lane("asked again", [2, 0.5, -8, 4, 10, -3], [6, 7, 5]);
  assert.equal(pairing(served, [lane("asked again", [0.5, 2, -8, 4, 10, -3], [6, 7, 5])], 2).severity, "ok");
  assert.equal(pairing(served, [mixed], 2).severity, "refusal");
  const rolled = pairing(lane("teacher-1", [-8, 4, 10, -3, 0.5, 2]), [rounded], 2);
  assert.match(rolled.message, /for example \d itself gave .* teacher-1 .*, which is what example \d was given/);
});

test("of three teachers the odd one is named", () => {
  const same = [1, 2, 3, 4, 5, 6];
  const odd = same.with(3, 4.5);
  const finding = replicas([lane("t1", odd), lane("t2", same), lane("t3", same)], 2);
  assert.match(
    finding.message,
    /^t1 differs from the other teachers: for example 6 t2 gave 4.0000 for class 1, t1 4.5000/,
  );
  const told: Finding[] = [{ ...finding, severity: "warning" }];
  assert.equal(refusalOf(told), null);
  assert.equal(refusalOf([...told, finding])!.code, "diverged");
});
