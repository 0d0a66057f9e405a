import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { stringify } from "yaml";
import { earlierPart } from "../../cli/resume.ts";
import { planRun } from "../../cli/runplan.ts";
import { parseJob } from "../../core/jobfile.ts";
import { text } from "../core/samplejob.ts";
import { scratchFolder } from "../e2e/limbeck.ts";
import { events } from "../fuzz/files/samplerun.ts";

const job = (...overrides: string[]) => parseJob(text, "job.yaml", overrides);

test("a folder without a job holds no earlier part", async (t) => {
  assert.equal(await earlierPart(await scratchFolder(t), job(), "JOB.yaml"), null);
});

test("the same job goes on where its events end; harmless changes are named", async (t) => {
  const folder = await scratchFolder(t);
  writeFileSync(join(folder, "job.yaml"), stringify(job()));
  const stepped = { ...events.find(({ kind }) => kind === "stepped")!, stage: "distil", step: 7, steps: 9 };
  writeFileSync(join(folder, "events.jsonl"), `${JSON.stringify(stepped)}\n{"kind":"torn`);
  const earlier = await earlierPart(folder, job("workers.students=3"), "JOB.yaml");
  assert.equal(earlier!.events, 1);
  assert.equal(earlier!.stands, "distil, about step 7 of 9");
  assert.equal(earlier!.report, null);
  assert.deepEqual(earlier!.changed, [`workers.students: 2 in ${join(folder, "job.yaml")}, 3 in JOB.yaml`]);
});

test("another job is refused with the fields that differ", async (t) => {
  const folder = await scratchFolder(t);
  writeFileSync(join(folder, "job.yaml"), stringify(job()));
  await assert.rejects(earlierPart(folder, job("distil.temperature=8", "seed=6"), "JOB.yaml"), (thrown: Error) => {
    assert.equal(Reflect.get(thrown, "code"), "usage");
    assert.match(thrown.message, /distil\.temperature: 4 in .*job\.yaml, 8 in JOB\.yaml/);
    assert.match(thrown.message, /seed: 5 in .*job\.yaml, 6 in JOB\.yaml/);
    return true;
  });
});

test("a damaged job.yaml is named", async (t) => {
  const folder = await scratchFolder(t);
  writeFileSync(join(folder, "job.yaml"), "name: [");
  await assert.rejects(earlierPart(folder, job(), "JOB.yaml"), { code: "corrupt", message: /job\.yaml is no job/ });
});

test("--students sets a number, and lies within a range that stays as it is", async (t) => {
  const folder = await scratchFolder(t);
  const file = join(folder, "job.yaml");
  writeFileSync(file, text);
  let outs = 0;
  const plan = (students: number | undefined, ...set: string[]) =>
    planRun(file, { out: join(folder, `out-${outs++}`), set, ...(students !== undefined && { students }) });
  const fixed = await plan(3);
  assert.deepEqual([fixed.students, fixed.job.workers.students], [3, 3]);
  const range = "workers.students={min: 2, max: 4}";
  assert.equal((await plan(undefined, range)).students, 2);
  const within = await plan(4, range);
  assert.deepEqual([within.students, within.job.workers.students], [4, { min: 2, max: 4 }]);
  await assert.rejects(plan(5, range), { code: "usage", message: /--students 5: the job wants 2 to 4/ });
  await assert.rejects(plan(1, range), { code: "usage" });
});

test("--auto is the number of all workers, of which the job's teachers are no students when it begins", async (t) => {
  const folder = await scratchFolder(t);
  const file = join(folder, "job.yaml");
  writeFileSync(file, text);
  let outs = 0;
  const plan = (options: object) => planRun(file, { out: join(folder, `out-${outs++}`), set: [], ...options });
  const { job, students } = await plan({ auto: 4, teachers: 2 });
  assert.deepEqual([students, job.workers], [2, { students: 2, teachers: 2, roles: "auto" }]);
  const ranged = await plan({ auto: 3, set: ["workers.students={min: 1, max: 2}"] });
  assert.deepEqual(ranged.job.workers, { students: 2, teachers: 1, roles: "auto" });
  await assert.rejects(plan({ auto: 4, students: 2 }), { code: "usage", message: /exclude each other/ });
  await assert.rejects(plan({ auto: 1 }), { code: "usage", message: /begins with 1 teacher and at least one student/ });
});

test("--out and --resume exclude each other, and --resume wants a run", async (t) => {
  const folder = await scratchFolder(t);
  const file = join(folder, "job.yaml");
  writeFileSync(file, text);
  await assert.rejects(planRun(file, { out: "a", resume: "b", set: [] }), { code: "usage", message: /exclude/ });
  const empty = join(folder, "empty");
  await assert.rejects(planRun(file, { resume: empty, set: [] }), { code: "usage", message: /no run in it/ });
});
