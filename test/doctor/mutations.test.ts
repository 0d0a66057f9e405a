/** Each way to teach the wrong thing, broken on purpose through the real path, is caught and named; what is whole is not. */
import assert from "node:assert/strict";
import { after, type TestContext, test } from "node:test";
import type { Finding } from "../../core/doctor/finding.ts";
import type { WorkerContext } from "../../worker/context.ts";
import { checkUp } from "../../worker/doctor/checkup.ts";
import { series } from "../metricstext.ts";
import { scratchFolder, smokeJob } from "../worker/foreman.ts";
import { type KserveSettings, serveKserve } from "../worker/inference/kserve.ts";
import { type Gives, softened } from "../worker/inference/perceptron.ts";
import { distil, perturbedAnswers, rolled } from "./distilling.ts";
import {
  asPerceptron,
  closePatients,
  complaints,
  found,
  jobWith,
  type Linear,
  nearestMean,
  openPatient,
  reordered,
  savedTeacher,
  scaled,
} from "./patients.ts";

/** The machine may have other work. */
const bounded = { timeout: 180_000 };
const never = new AbortController().signal;

after(closePatients);

async function examined(t: TestContext, teacher: string, ...overrides: string[]): Promise<Finding[]> {
  const context = await openPatient(t, jobWith(teacher, overrides));
  return await checkUp(context, never);
}

test("a healthy job has no findings", bounded, async (t) => {
  const findings = await examined(t, await savedTeacher(t, await nearestMean()));
  assert.deepEqual(complaints(findings), [], JSON.stringify(findings, null, 1));
  assert.deepEqual(
    findings.map(({ check, severity }) => `${check}: ${severity}`),
    [
      "models: ok",
      "teacher-accuracy: ok",
      "soft-targets: ok",
      "soft-term: ok",
      "self-divergence: ok",
      "pairing: ok",
      "replicas: not-run",
    ],
  );
});

test("a. classes in another order", bounded, async (t) => {
  const turned = reordered(await nearestMean(), [3, 4, 5, 6, 7, 8, 9, 0, 1, 2]);
  const findings = await examined(t, await savedTeacher(t, turned));
  assert.deepEqual(complaints(findings), ["teacher-accuracy: refusal"]);
  assert.match(
    found(findings, "teacher-accuracy").message,
    /classes in another order \(output 0 is class 3, output 1 is class 4/,
  );
});

test(
  "a. inputs that are bytes, where the teacher wants them in [0, 1], and the other way round",
  bounded,
  async (t) => {
    const { kernel, bias } = await nearestMean();
    const wantsUnit = await examined(t, await savedTeacher(t, { kernel, bias }), "dataset.normalization=none");
    assert.deepEqual(complaints(wantsUnit), ["teacher-accuracy: refusal"], JSON.stringify(wantsUnit, null, 1));
    assert.match(found(wantsUnit, "teacher-accuracy").message, /inputs scaled as by dataset.normalization: unit:/);

    const ofBytes = await savedTeacher(t, { kernel: kernel.map((value) => value / 255), bias });
    const wantsBytes = await examined(t, ofBytes, "dataset.normalization=unit");
    assert.match(found(wantsBytes, "teacher-accuracy").message, /inputs scaled as by dataset.normalization: none:/);
    assert.equal(found(wantsBytes, "teacher-accuracy").severity, "refusal");
  },
);

test("b. a teacher of other classes, and classes that never occur", bounded, async (t) => {
  const { kernel, bias } = await nearestMean();
  const seven: Linear = { kernel: kernel.filter((_, at) => at % 10 < 7), bias: bias.slice(0, 7) };
  const findings = await examined(t, await savedTeacher(t, seven));
  assert.deepEqual(complaints(findings), ["models: refusal"]);
  assert.match(found(findings, "models").message, /the teacher has 7 classes, the dataset 10/);
  assert.match(found(findings, "pairing").message, /the models must fit first/);

  const twelve: Linear = {
    kernel: Float32Array.from({ length: 784 * 12 }, (_, at) =>
      at % 12 < 10 ? kernel[Math.floor(at / 12) * 10 + (at % 12)]! : 0,
    ),
    bias: Float32Array.from([...bias, -1000, -1000]),
  };
  const tooMany = await examined(t, await savedTeacher(t, twelve), "dataset.classes=12");
  assert.deepEqual(complaints(tooMany), ["models: warning"]);
  assert.match(found(tooMany, "models").message, /2 never occur among 2000 training labels \(10, 11\)/);
});

test("c. a softmax left on", bounded, async (t) => {
  const findings = await examined(t, await savedTeacher(t, await nearestMean(), ["softmax", "linear"]));
  assert.ok(complaints(findings).includes("soft-targets: refusal"), JSON.stringify(findings, null, 1));
  assert.match(found(findings, "soft-targets").message, /are probabilities.*A softmax was left on/);
});

test("c. logits that a temperature has divided already", bounded, async (t) => {
  const findings = await examined(t, await savedTeacher(t, scaled(await nearestMean(), 1 / 20)));
  assert.deepEqual(complaints(findings), ["soft-targets: warning"], JSON.stringify(findings, null, 1));
  assert.match(found(findings, "soft-targets").message, /divided by a temperature of about \d+ already/);
});

/** The digits' teacher on a server, which gives this of its logits and says that it gives that. */
async function served(t: TestContext, gives: Gives, output: NonNullable<KserveSettings["output"]>): Promise<Finding[]> {
  const server = await serveKserve(asPerceptron(await nearestMean()), { shape: [-1, 784], output });
  t.after(server.close);
  const job = smokeJob(
    "teach=null",
    `teacher={remote: {address: "${server.address}", model: digits, gives: ${gives}}}`,
  );
  return await checkUp(await openPatient(t, job), never);
}

test("c. what is said to be probabilities, and does not sum to one", bounded, async (t) => {
  const sums: readonly [Gives, NonNullable<KserveSettings["output"]>][] = [
    ["probabilities", (logits) => logits.map((logit) => 1 / (1 + Math.exp(-logit)))],
    ["logProbabilities", (logits, classes) => softened(logits, classes).map((p) => Math.log(p / 2))],
  ];
  for (const [gives, output] of sums) {
    const findings = await served(t, gives, output);
    assert.deepEqual(complaints(findings), ["soft-targets: refusal"], JSON.stringify(findings, null, 1));
    assert.match(
      found(findings, "soft-targets").message,
      /said to give probabilities, and those of an example sum to [\d.]+: they must sum to one/,
    );
  }
  const whole = await served(t, "probabilities", softened);
  assert.deepEqual(complaints(whole), [], JSON.stringify(whole, null, 1));
});

test(
  "a teacher that goes while it is examined: all is looked at anew, with those that are there",
  bounded,
  async (t) => {
    const context = await openPatient(t, jobWith(await savedTeacher(t, await nearestMean()), []));
    let asked = 0;
    const { findings, failure, steps } = await distil(t, context, {
      second: (_examples, _view, _inputs, leave) => {
        asked += 1;
        leave();
        return new Promise(() => {});
      },
    });
    assert.equal(failure, null, failure?.message);
    assert.equal(steps, 32);
    assert.ok(asked > 0);
    assert.equal(found(findings, "replicas").severity, "not-run", "one teacher is left");
  },
);

test("c. probabilities that a temperature has softened already", bounded, async (t) => {
  const findings = await served(t, "probabilities", (logits, classes) => softened(logits, classes, 20));
  assert.deepEqual(complaints(findings), ["soft-targets: warning"], JSON.stringify(findings, null, 1));
  assert.match(found(findings, "soft-targets").message, /divided by a temperature of about \d+ already/);
});

test("e. a teacher that says the same of every example, and a soft term without weight", bounded, async (t) => {
  const { kernel, bias } = await nearestMean();
  const constant = { kernel: kernel.map(() => 0), bias };
  const findings = await examined(t, await savedTeacher(t, constant));
  assert.ok(complaints(findings).includes("soft-term: refusal"));
  assert.match(found(findings, "soft-term").message, /same logits for every example/);
  assert.ok(complaints(findings).includes("teacher-accuracy: refusal"), "its accuracy is that of chance");

  const weightless = await examined(t, await savedTeacher(t, { kernel, bias }), "distil.softWeight=0");
  assert.deepEqual(complaints(weightless), ["soft-term: warning"]);
});

for (const how of ["softTargets.inputs=ids", "softTargets.inputs=tensors", "softTargets.format=topk"]) {
  test(`a stage with healthy teachers comes to its end, its canaries alive, with ${how}`, bounded, async (t) => {
    const settings = ["doctor.canaryEverySteps=1", how, "softTargets.k=3"];
    const context = await openPatient(t, jobWith(await savedTeacher(t, await nearestMean()), settings));
    // As unlike as devices that round otherwise.
    const second = perturbedAnswers(context, (weight, at) => weight * (1 + (at % 2 === 0 ? 1e-5 : -1e-5)));
    const { findings, failure, steps } = await distil(t, context, { second });
    assert.equal(failure, null, failure?.message);
    assert.equal(steps, 32);
    assert.deepEqual(complaints(findings), []);
    assert.equal(found(findings, "replicas").severity, "ok");
    const canaries = await canariesOf(context);
    assert.ok(canaries.same > 0);
    assert.equal(canaries.different, 0);
    assert.ok(canaries.drift >= 0 && canaries.drift <= 1, `${canaries.drift}`);
  });
}

test(
  "with a warm cache no teacher is asked, neither by the doctor, who says so, nor by training",
  bounded,
  async (t) => {
    const teacher = await savedTeacher(t, await nearestMean());
    const job = jobWith(teacher, [`softTargets.cache={dir: ${scratchFolder(t)}}`, "doctor.canaryEverySteps=1"]);
    const run = async () => {
      const context = await openPatient(t, job);
      const { findings, failure, steps } = await distil(t, context);
      assert.equal(failure, null, failure?.message);
      assert.equal(steps, 32);
      assert.deepEqual(complaints(findings), []);
      return { findings, requests: context.services.softTargets.counts.requests };
    };
    const cold = await run();
    assert.ok(cold.requests > 0);
    assert.equal(found(cold.findings, "soft-targets").evidence["cachedExamples"], 0);
    const warm = await run();
    assert.equal(warm.requests, 0);
    const { evidence } = found(warm.findings, "soft-targets");
    assert.equal(evidence["cachedExamples"], evidence["examples"]);
    assert.match(found(warm.findings, "pairing").message, /however they are asked for \(this process itself\)/);
  },
);

test("d. a teacher whose weights have changed", bounded, async (t) => {
  const context = await openPatient(t, jobWith(await savedTeacher(t, await nearestMean())));
  const second = perturbedAnswers(context, (weight, at) => (at % 10 === 4 ? 1.1 * weight : weight));
  const { findings, failure, steps } = await distil(t, context, { second });
  assert.deepEqual(complaints(findings), ["replicas: refusal"]);
  assert.match(found(findings, "replicas").message, /the teachers differ: for example \d+ .* class 4, teacher-2/);
  assert.equal(failure!.code, "diverged");
  assert.match(failure!.message, /the doctor refuses this job: replicas: /);
  assert.equal(steps, 0, "no step was taken");
});

test("f. a teacher that answers with the rows of other examples", bounded, async (t) => {
  const context = await openPatient(t, jobWith(await savedTeacher(t, await nearestMean())));
  const { findings, failure, steps } = await distil(t, context, {
    spoil:
      (answer) =>
      async (examples, ...key) =>
        rolled(await answer(examples, ...key), examples.length),
  });
  assert.ok(complaints(findings).includes("pairing: refusal"));
  assert.match(found(findings, "pairing").message, /for example \d+ .*, which is what example \d+ was given/);
  assert.match(failure!.message, /pairing: soft targets pair with the wrong example/);
  assert.equal(steps, 0, "no step was taken");
});

for (const { canaryEverySteps, how } of [
  { canaryEverySteps: 1, how: "softTargets.inputs=ids" },
  { canaryEverySteps: 1, how: "softTargets.inputs=tensors" },
  { canaryEverySteps: 1, how: "softTargets.format=topk" },
  { canaryEverySteps: 0, how: "softTargets.inputs=ids" },
]) {
  const becomes = canaryEverySteps === 0 ? "goes unseen without canaries" : `is found by a canary with ${how}`;
  test(`f. a teacher that begins to do so in the middle of training ${becomes}`, bounded, async (t) => {
    const teacher = await savedTeacher(t, await nearestMean());
    const settings = [`doctor.canaryEverySteps=${canaryEverySteps}`, how, "softTargets.k=3"];
    const context = await openPatient(t, jobWith(teacher, settings));
    let answers = 0;
    const { findings, failure, steps } = await distil(t, context, {
      spoil:
        (answer) =>
        async (examples, ...key) => {
          const logits = await answer(examples, ...key);
          return ++answers > 60 ? rolled(logits, examples.length) : logits;
        },
    });
    assert.deepEqual(complaints(findings), []);
    assert.ok(steps > 0, "it had begun");
    if (canaryEverySteps === 0) return assert.equal(failure, null);
    assert.equal(failure!.code, "wrong_key");
    assert.match(failure!.message, /not what they were: for example \d+ in epoch \d .* gave -?[\d.]+ for class \d/);
    const canaries = await canariesOf(context);
    assert.ok(canaries.different > 0);
    assert.ok(canaries.drift > 1, `${canaries.drift}`);
  });
}

/** As the student's metrics have them. */
async function canariesOf({ metrics, services }: WorkerContext) {
  const [, text] = await metrics.page(services)("");
  const value = (name: string, result?: string) =>
    series(text).find((each) => each.name === name && each.labels["result"] === result)!.value;
  const total = (result: string) => value("limbeck_canaries_total", result);
  return { same: total("same"), different: total("different"), drift: value("limbeck_canary_drift_ratio") };
}
