/** g. A loss that is not zero where student and teacher are one is caught; ours is. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { selfDivergence, softTerm } from "../../core/doctor/softterm.ts";
import type { Engine } from "../../worker/engine/engine.ts";
import { loadEngine } from "../../worker/engine/load.ts";
import { build, classes, lanesOf, objective, specs } from "../worker/learn/samples.ts";

const engine = await loadEngine("wasm", 1);

/** Figures of a lane, with teacher logits of a size that teachers have. */
async function figuresWith(broken: Engine, temperature = objective.temperature) {
  const network = await build(broken, specs.mlp);
  const [lane] = lanesOf([16]);
  const work = { ...lane!, teacherLogits: lane!.teacherLogits!.map((value) => 8 * value) };
  const before = engine.tf.memory().numTensors;
  const figures = network.softTerm({ ...objective, temperature }, work);
  assert.equal(engine.tf.memory().numTensors, before, "no tensor is left behind (L8)");
  network.dispose();
  return { figures, teacherLogits: work.teacherLogits };
}

type CrossEntropy = Engine["ops"]["softmaxCrossEntropy"];

function breaking(change: (own: CrossEntropy) => CrossEntropy): Engine {
  return { ...engine, ops: { ...engine.ops, softmaxCrossEntropy: change(engine.ops.softmaxCrossEntropy) } };
}

for (const temperature of [1, 4, 20, 100]) {
  test(`the loss vanishes where student and teacher are one, at temperature ${temperature}`, async () => {
    const { figures, teacherLogits } = await figuresWith(engine, temperature);
    assert.equal(selfDivergence(figures).severity, "ok", JSON.stringify(figures));
    assert.equal(softTerm(figures, objective, { teacherLogits, classes }).severity, "ok", JSON.stringify(figures));
  });
}

test("a loss that softens one side more than the other is refused", async () => {
  const broken = breaking((own) => (logits, targets) => own(engine.tf.mul(logits, 1.1), targets));
  const finding = selfDivergence((await figuresWith(broken)).figures);
  assert.equal(finding.severity, "refusal");
  assert.match(finding.message, /should have divergence 0 and gradient 0, and has .*: the distillation loss is broken/);
});

test("a loss whose gradient is off by a constant is refused, though its value is right", async () => {
  const broken = breaking((own) => (logits, targets) => {
    const { loss, gradient } = own(logits, targets);
    const { tf } = engine;
    return { loss, gradient: tf.add(gradient, tf.scalar(0.01)) };
  });
  const { figures } = await figuresWith(broken);
  assert.ok(Math.abs(figures.selfDivergence) < 1e-5);
  assert.equal(selfDivergence(figures).severity, "refusal");
});

test("e. a soft term whose gradient is lost is refused", async () => {
  const broken = breaking((own) => (logits, targets) => {
    const { loss, gradient } = own(logits, targets);
    const isSoft = targets.max().dataSync()[0]! < 1;
    return { loss, gradient: isSoft ? engine.tf.zerosLike(gradient) : gradient };
  });
  const { figures, teacherLogits } = await figuresWith(broken);
  const finding = softTerm(figures, objective, { teacherLogits, classes });
  assert.equal(finding.severity, "refusal");
  assert.match(finding.message, /the soft term has no gradient: its norm is 0/);
});
