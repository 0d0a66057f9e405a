import assert from "node:assert/strict";
import { test } from "node:test";
import { gapRecovered, summary } from "../../core/summary.ts";

const model = (errors: number, parameters = 0) => ({ errors, parameters });
/** Hinton et al. 2015, section 3: 67 errors of the teacher, 74 distilled, 146 without. */
const paper = { teacher: model(67, 1_000), student: model(74, 520), baseline: model(146, 520) };

test("the paper's figures as a sentence", () => {
  assert.equal(gapRecovered(paper), 72 / 79);
  assert.equal(
    summary(paper, 1e-7),
    "The distilled student makes 74 errors, the same student without a teacher 146, p < 0.001; it recovers 91 % of the gap to the teacher at 0.52 of its parameters.",
  );
});

test("what is no success is not called one", () => {
  const chance = { teacher: model(132), student: model(200), baseline: model(208) };
  assert.match(summary(chance, 0.55), /p = 0\.55, which chance alone explains; it recovers 11 % of the gap/);
  assert.doesNotMatch(summary(chance, 0.55), /parameters/, "where the teacher's are not known");
  const worse = { teacher: model(1), student: model(9), baseline: model(5) };
  assert.match(summary(worse, 0.2), /recovers nothing of the gap to the teacher, which makes 1 error\./);
  const weak = { teacher: model(9), student: model(5), baseline: model(9) };
  assert.equal(gapRecovered(weak), null);
  assert.match(summary(weak, 0.2), /the teacher itself, with 9 errors, is no better/);
});

test("without a baseline there is no gap", () => {
  const alone = { ...paper, baseline: null };
  assert.equal(gapRecovered(alone), null);
  assert.equal(
    summary(alone, null),
    "The distilled student makes 74 errors, its teacher 67, at 0.52 of its parameters.",
  );
});
