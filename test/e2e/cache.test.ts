/** With a warm cache a job asks no teacher, and its weights are those of a job without a cache. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { type FinishedRun, finishedRun, scratchFolder } from "./limbeck.ts";

const smoke = "examples/smoke.yaml";
/** The teacher need not be good, nor the figures; wasm starts sooner. */
const brief = [
  "engine=wasm",
  "baseline=false",
  "evaluation.everyEpochs=0",
  "dataset.testLimit=100",
  "teach={steps: 10, optimizer: {kind: adam, learningRate: 0.01}}",
].flatMap((each) => ["--set", each]);

const notes = ({ events }: FinishedRun) =>
  events.filter(({ kind }) => kind === "soft-target-cache" || kind === "worker-warned");

const counts = ({ report }: FinishedRun) => {
  const { requested, cached, bytes } = report.softTargets;
  return { requested, cached, bytes };
};

/** What the doctor looked at, and how much of it no teacher was asked for. */
const ofDoctor = ({ report }: FinishedRun) => {
  const { examples, cachedExamples } = report.doctor.find(({ check }) => check === "soft-targets")!.evidence;
  return { examples, cachedExamples };
};

test("the second epoch asks for nothing, a second job for nothing at all, and no bit changes (L1)", async (t) => {
  const dir = join(await scratchFolder(t), "cache");
  const run = (...args: string[]) => finishedRun(t, smoke, ...brief, ...args);
  const without = await run("--set", "softTargets.cache=false", "--students", "1");
  const cold = await run("--set", `softTargets.cache.dir=${dir}`);
  const warm = await run(
    "--set",
    `softTargets.cache.dir=${dir}`,
    "--students",
    "1",
    "--set",
    "softTargets.aheadBytes=1",
  );
  for (const { report } of [cold, warm]) {
    assert.equal(report.student.weightsSha256, without.report.student.weightsSha256);
  }
  const { examplesPerEpoch, seen } = without.report.ledger;
  assert.deepEqual(counts(without), { requested: seen, cached: 0, bytes: 20 * seen });
  assert.match(without.report.softTargets.cache, /^uncached: /);
  assert.match(cold.report.softTargets.cache, /^cached: /);
  // All but some that the second epoch asks for while the first still waits for them: steps are made ahead.
  const { cached: inSecond } = cold.report.softTargets;
  assert.ok(inSecond > examplesPerEpoch / 2 && inSecond <= seen - examplesPerEpoch, `${inSecond} cached`);
  assert.deepEqual(counts(warm), { requested: seen, cached: seen, bytes: 0 });
  assert.deepEqual([ofDoctor(cold).cachedExamples, ofDoctor(warm).cachedExamples], [0, ofDoctor(warm).examples]);
  assert.deepEqual(
    notes(warm).map(({ kind }) => kind),
    ["soft-target-cache"],
  );
});

test("views that come again are cached, endless ones are not, and the run says which", async (t) => {
  const dir = join(await scratchFolder(t), "cache");
  const views = (spec: string) => ["--set", `distil.views=${spec}`, "--set", `softTargets.cache.dir=${dir}`];
  const run = (...args: string[]) =>
    finishedRun(t, smoke, ...brief, "--no-doctor", "--set", "distil.epochs=3", "--students", "1", ...args);
  const repeated = await run(...views("{shift: 1, repeat: 2}"));
  const { requested, cached } = repeated.report.softTargets;
  assert.equal(cached, requested / 3, "of three epochs the last has the views of the first");
  const endless = await run(...views("{shift: 1}"), "--set", "distil.epochs=2");
  assert.equal(endless.report.softTargets.cached, 0);
  const [note] = notes(endless);
  assert.ok(note?.kind === "soft-target-cache" && note.cache === "uncached");
  assert.match(note.why, /endless/);
});
