/** Rules that join several fields of a job. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { refusal, replaced, text } from "./samplejob.ts";

const contradictions: readonly [what: string, from: string, to: string, said: string][] = [
  [
    "lanes fewer than students",
    "students: 2",
    "students: 5",
    "job.yaml:10: lanes.count: 4 lanes cannot be dealt to 5 students: every student needs at least one",
  ],
  [
    "lanes by default fewer than students",
    "lanes:\n  count: 4\n",
    "workers: { students: 9 }\n",
    "job.yaml:9: workers.students: 8 lanes cannot be dealt to 9 students: every student needs at least one",
  ],
  [
    "a model and the dataset with different classes",
    "widths: [20, 20]",
    "widths: [20]\n  classes: 12",
    "job.yaml:14: teacher.classes: the teacher has 12 classes, the dataset 10: they must be equal",
  ],
  [
    "epochs and steps",
    "  epochs: 2",
    "  epochs: 2\n  steps: 9",
    "job.yaml:26: distil.steps: give either epochs or steps, not both",
  ],
  ["neither epochs nor steps", "  epochs: 2\n", "", "job.yaml:22: distil: needs either epochs or steps"],
  [
    "a loaded teacher that is taught",
    "  kind: mlp\n  widths: [20, 20]",
    "  load: x",
    "job.yaml:18: teach: a loaded teacher is not taught: remove either teach or teacher.load",
  ],
  [
    "a remote teacher that is taught",
    "  kind: mlp\n  widths: [20, 20]",
    "  remote: { address: 'triton:8001', model: digits }",
    "job.yaml:18: teach: a remote teacher is not taught: remove either teach or teacher.remote",
  ],
  [
    "an ensemble that is taught",
    "  kind: mlp\n  widths: [20, 20]",
    "  ensemble: [{ load: a }, { load: b, weight: 2 }]",
    "job.yaml:18: teach: an ensemble is not taught: remove either teach or teacher.ensemble",
  ],
  [
    "a teacher that is not taught",
    "teach:\n  epochs: 1\n  optimizer: { kind: sgd, learningRate: 0.1 }\n",
    "",
    "job.yaml: teach: needed to train the teacher, unless teacher.load, remote or ensemble names a trained one",
  ],
  [
    "idx without labels",
    "test: { examples: c, labels: d }",
    "test: { examples: c }",
    "job.yaml:7: dataset.test.labels: needed for idx: the file of the labels",
  ],
  [
    "idx with a label column",
    "  classes: 10",
    "  label: y",
    "job.yaml:8: dataset.label: must not be given for idx: its labels are in files of their own",
  ],
  [
    "validation without examples",
    "lanes:",
    "evaluation: { split: validation }\nlanes:",
    "job.yaml:9: evaluation.split: to evaluate on the validation split, hold out examples: set dataset.validation above 0",
  ],
  [
    "all examples held out",
    "  classes: 10",
    "  validation: 50\n  limit: 50",
    "job.yaml:8: dataset.validation: 50 validation examples of the first 50 leave none to train on",
  ],
];
for (const [what, from, to, said] of contradictions) {
  test(`refused with its line: ${what}`, () => {
    // The lanes case adds a second `workers` key where the first was.
    const job = what.startsWith("lanes by default")
      ? replaced("workers:\n  students: 2", "").replace(from, to)
      : replaced(from, to);
    assert.equal(refusal(job), said);
  });
}

test("teacher and student with different classes are refused, whatever the dataset says", () => {
  const job = text
    .replace("widths: [20, 20]", "widths: [20]\n  classes: 12")
    .replace("student:", "student:\n  classes: 11")
    .replace("  classes: 10\n", "");
  assert.equal(
    refusal(job),
    "job.yaml:15: student.classes: the student has 11 classes, the teacher 12: they must be equal",
  );
});

test("csv wants a label column, and neither label files, image views nor convolutions", () => {
  const csv = text
    .replace("kind: idx", "kind: csv")
    .replace("  kind: mlp\n  widths: [20, 20]", "  kind: cnn\n  blocks: [{ filters: 4 }]")
    .replace("learningRate: 0.001", "learningRate: 0.001\n  views: { shift: 2 }");
  assert.deepEqual(refusal(csv).split("\n"), [
    "job.yaml:3: dataset.label: needed for csv: the name of the label column",
    "job.yaml:6: dataset.train.labels: must not be given for csv: its labels are in the column named by dataset.label",
    "job.yaml:7: dataset.test.labels: must not be given for csv: its labels are in the column named by dataset.label",
    "job.yaml:12: teacher.kind: cnn needs images, and csv has none",
    "job.yaml:29: distil.views.shift: needs images, and csv has none",
  ]);
});
