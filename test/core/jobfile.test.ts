import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { effectiveJobYaml, parseJob } from "../../core/jobfile.ts";
import { packagePath } from "../../proto/package.ts";
import { refusal, replaced, text } from "./samplejob.ts";

test("a job is taken with every default filled in", () => {
  const job = parseJob(text, "job.yaml");
  assert.equal(job.numerics, "exact");
  assert.deepEqual(job.lanes, { count: 4, batch: 32 });
  assert.deepEqual(job.distil.schedule, { kind: "constant", warmupSteps: 0 });
  assert.deepEqual(job.distil.views, { shift: 0, flip: false });
  assert.equal(job.baseline, true);
});

const wrong: readonly [what: string, from: string, to: string, said: string][] = [
  [
    "a wrong key",
    "temperature",
    "tempurature",
    "job.yaml:23: distil.tempurature: unknown key; did you mean temperature?",
  ],
  [
    "another case",
    "softWeight",
    "soft_weight",
    "job.yaml:24: distil.soft_weight: unknown key; did you mean softWeight?",
  ],
  [
    "a wrong type",
    "students: 2",
    "students: ten",
    'job.yaml:30: workers.students: must be a whole number or a mapping with min and max, found "ten"',
  ],
  [
    "a fraction",
    "    - 10\n    - 10",
    "    - 10\n    - 1.5",
    "job.yaml:18: student.widths.1: must be a whole number, found 1.5",
  ],
  ["nothing", "count: 4", "count:", "job.yaml:10: lanes.count: must be a whole number, found nothing"],
  ["a scalar", "  count: 4", "  4", "job.yaml:9: lanes: must be a mapping, found 4"],
  ["T = 0", "temperature: 4", "temperature: 0", "job.yaml:23: distil.temperature: must be greater than 0, found 0"],
  ["T < 0", "temperature: 4", "temperature: -1", "job.yaml:23: distil.temperature: must be greater than 0, found -1"],
  ["T = NaN", "temperature: 4", "temperature: .nan", "job.yaml:23: distil.temperature: must be a number, found NaN"],
  [
    "softWeight > 1",
    "softWeight: 0.5",
    "softWeight: 1.5",
    "job.yaml:24: distil.softWeight: must be at most 1, found 1.5",
  ],
  [
    "softWeight < 0",
    "softWeight: 0.5",
    "softWeight: -0.5",
    "job.yaml:24: distil.softWeight: must be at least 0, found -0.5",
  ],
  [
    "a bad name",
    "name: sample",
    "name: a b",
    'job.yaml:1: name: must be letters, digits, dots, dashes and underscores, the first a letter or digit, found "a b"',
  ],
  [
    "a bad enum",
    "seed: 5",
    "numerics: exat",
    'job.yaml:2: numerics: must be exact or fast, found "exat"; did you mean exact?',
  ],
  [
    "an unknown model",
    "  kind: mlp\n  widths: [20, 20]",
    "  kind: mpl",
    'job.yaml:12: teacher.kind: must be mlp or cnn, found "mpl"; did you mean mlp?',
  ],
  [
    "no model",
    "  kind: mlp\n  widths: [20, 20]",
    "  activation: relu",
    "job.yaml:11: teacher: must have kind: mlp, kind: cnn, load, module, remote or ensemble, found activation",
  ],
  [
    "a model that is text",
    "\n  kind: mlp\n  widths: [20, 20]",
    " mlp",
    'job.yaml:11: teacher: must be a mapping with kind: mlp, kind: cnn, load, module, remote or ensemble, found "mlp"',
  ],
  [
    "a key of another model",
    "widths: [20, 20]",
    "widths: [20]\n  batchNorm: true",
    "job.yaml:14: teacher.batchNorm: does not go with kind: mlp",
  ],
  [
    "a misspelt key of a model",
    "widths: [20, 20]",
    "width: [20]",
    "job.yaml:13: teacher.width: unknown key; did you mean widths?",
  ],
  [
    "an unknown optimizer",
    "kind: adam",
    "kind: adm",
    'job.yaml:27: distil.optimizer.kind: must be sgd, momentum, adam or adamw, found "adm"; did you mean adam?',
  ],
  [
    "a key of another optimizer",
    "kind: adam",
    "kind: adam\n    momentum: 1",
    "job.yaml:28: distil.optimizer.momentum: does not go with kind: adam",
  ],
  [
    "an optimizer without a kind",
    "    kind: adam\n",
    "",
    "job.yaml:26: distil.optimizer: must have kind: sgd, kind: momentum, kind: adam or kind: adamw, found learningRate",
  ],
  ["a missing key", "  temperature: 4\n", "", "job.yaml:22: distil.temperature: needed, and missing: give a number"],
  [
    "a missing stage",
    "\nstudent:\n  kind: mlp\n  widths:\n    - 10\n    - 10",
    "",
    "job.yaml: student: needed, and missing: give a mapping with kind: mlp, kind: cnn, load or module",
  ],
  [
    "a bad normalization",
    "  classes: 10",
    "  normalization: { mean: 0 }",
    "job.yaml:8: dataset.normalization.std: needed, and missing: give a number",
  ],
  [
    "an unknown normalization",
    "  classes: 10",
    "  normalization: units",
    'job.yaml:8: dataset.normalization: must be none, unit, standardize or a mapping with mean and std, found "units"',
  ],
];
for (const [what, from, to, said] of wrong) {
  test(`refused with its line: ${what}`, () => assert.equal(refusal(replaced(from, to)), said));
}

test("every problem has its own line of the message, in the order of the file", () => {
  const job = text
    .replace("seed: 5", "seed: -1")
    .replace("epochs: 1", "epochs: 0")
    .replace("students: 2", "student: 2");
  assert.deepEqual(refusal(job).split("\n"), [
    "job.yaml:2: seed: must be at least 0, found -1",
    "job.yaml:20: teach.epochs: must be greater than 0, found 0",
    "job.yaml:30: workers.student: unknown key; did you mean students?",
  ]);
});

test("what is not YAML, or no mapping, is refused with its line", () => {
  assert.match(refusal("name: a\nseed: [1,\nlanes: 2\n"), /^job\.yaml:3: not valid YAML: Flow sequence/);
  assert.match(refusal("name: a\n\tseed: 1\n"), /^job\.yaml:2: not valid YAML: Tabs are not allowed/);
  assert.equal(refusal("name: a\nseed: 1\nseed: 2\n"), "job.yaml:3: seed: given twice; remove one of them");
  assert.equal(refusal("name: a\n---\nname: b\n"), "job.yaml:2: a file holds one job; remove what follows `---`");
  assert.match(refusal("name: *gone\n"), /^job\.yaml: not valid YAML: Unresolved alias/);
  assert.equal(refusal("- name\n"), "job.yaml:1: a job must be a mapping of fields, found a list");
  assert.equal(refusal("# nothing\n"), "job.yaml: the job file is empty");
});

test("aliases are followed to where the value is written", () => {
  const job = text
    .replace("optimizer: { kind: sgd, learningRate: 0.1 }", "optimizer: &o { kind: sgd, learningRate: 0 }")
    .replace("  optimizer:\n    kind: adam\n    learningRate: 0.001", "  optimizer: *o");
  assert.deepEqual(refusal(job).split("\n"), [
    "job.yaml:21: teach.optimizer.learningRate: must be greater than 0, found 0",
    "job.yaml:21: distil.optimizer.learningRate: must be greater than 0, found 0",
  ]);
});

test("overrides count as if the file said so, in order, and are made of YAML", () => {
  const overrides = [
    "seed=1",
    "seed=9",
    "distil.temperature=2.5",
    "student.widths.0=7",
    "teach.optimizer={kind: adamw, learningRate: 1}",
  ];
  const job = parseJob(text, "job.yaml", [
    ...overrides,
    "evaluation.batch=11",
    "name=other",
    "distil.epochs=",
    "distil.steps=3",
  ]);
  assert.equal(job.seed, 9);
  assert.equal(job.distil.temperature, 2.5);
  assert.deepEqual("widths" in job.student && job.student.widths, [7, 10]);
  assert.equal(job.teach?.optimizer.kind, "adamw");
  assert.equal(job.evaluation.batch, 11);
  assert.equal(job.name, "other");
  assert.deepEqual([job.distil.epochs, job.distil.steps], [undefined, 3]);
  const loaded = parseJob(text, "job.yaml", ["teacher={load: runs/a/teacher}", "teach="]);
  assert.deepEqual([loaded.teacher, loaded.teach], [{ load: "runs/a/teacher" }, undefined]);
});

test("a problem that an override made names the override", () => {
  const said = (...overrides: string[]) => refusal(text, overrides);
  assert.equal(said("distil.temperature=0"), "--set distil.temperature=0: must be greater than 0, found 0");
  assert.equal(said("distil.tempurature=3"), "--set distil.tempurature=3: unknown key; did you mean temperature?");
  assert.equal(said("workres.students=3"), "--set workres.students=3: workres: unknown key; did you mean workers?");
  assert.equal(
    said("workers.students=9"),
    "--set workers.students=9: 4 lanes cannot be dealt to 9 students: every student needs at least one",
  );
  assert.equal(
    said("student.classes=3"),
    "--set student.classes=3: the student has 3 classes, the dataset 10: they must be equal",
  );
  assert.equal(
    said("teacher={kind: mlp}"),
    "--set teacher={kind: mlp}: teacher.widths: needed, and missing: give a list, each entry a whole number",
  );
  assert.equal(said("seed"), "--set seed: must be KEY=VALUE, such as distil.temperature=4");
  assert.equal(said("name.x=3"), '--set name.x=3: name is "sample", which has no fields');
  assert.equal(
    said("student.widths.x=3"),
    "--set student.widths.x=3: student.widths is a list: name an entry by number, from 0",
  );
  assert.equal(said("student.widths.3=3"), "--set student.widths.3=3: student.widths has only 2 entries");
  assert.match(said("seed=[1"), /^--set seed=\[1: the value is not valid YAML: /);
});

for (const example of ["mnist", "smoke", "hinton-mnist"]) {
  test(`examples/${example}.yaml is taken, and its effective job is the same job`, () => {
    const file = `examples/${example}.yaml`;
    const job = parseJob(readFileSync(packagePath(file), "utf8"), file);
    assert.equal(job.name, example);
    assert.deepEqual(parseJob(effectiveJobYaml(job, "examples"), "job.yaml"), job);
  });
}
