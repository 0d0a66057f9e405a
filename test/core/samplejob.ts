/** A job file that is right, and what is said of one that is not. */
import assert from "node:assert/strict";
import { LimbeckError } from "../../core/errors.ts";
import { parseJob } from "../../core/jobfile.ts";

const lines = [
  "name: sample", // 1
  "seed: 5",
  "dataset:",
  "  kind: idx",
  "  path: data", // 5
  "  train: { examples: a, labels: b }",
  "  test: { examples: c, labels: d }",
  "  classes: 10",
  "lanes:",
  "  count: 4", // 10
  "teacher:",
  "  kind: mlp",
  "  widths: [20, 20]",
  "student:",
  "  kind: mlp", // 15
  "  widths:",
  "    - 10",
  "    - 10",
  "teach:",
  "  epochs: 1", // 20
  "  optimizer: { kind: sgd, learningRate: 0.1 }",
  "distil:",
  "  temperature: 4",
  "  softWeight: 0.5",
  "  epochs: 2", // 25
  "  optimizer:",
  "    kind: adam",
  "    learningRate: 0.001",
  "workers:",
  "  students: 2", // 30
];
export const text = lines.join("\n");
/** The sample with a passage changed. */
export const replaced = (from: string, to: string) => {
  assert.ok(text.includes(from), `the sample has no ${from}`);
  return text.replace(from, to);
};

/** What is said of a job that is refused. */
export function refusal(job: string, overrides: readonly string[] = []): string {
  try {
    parseJob(job, "job.yaml", overrides);
  } catch (error) {
    assert.ok(error instanceof LimbeckError, String(error));
    assert.equal(error.code, "bad_job");
    assert.equal(error.exitCode, 2);
    return error.message;
  }
  return assert.fail("the job was taken");
}
