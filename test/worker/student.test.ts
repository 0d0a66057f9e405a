/** Steady state holds a constant number of tensors and bytes (L8), over the real training of a teacher and its student. */
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import type { Job } from "../../core/job.ts";
import { planStages, type Stage } from "../../core/stages.ts";
import type { FromWorker } from "../../proto/gen/limbeck/v1/FromWorker.ts";
import { packagePath } from "../../proto/package.ts";
import { Assignment } from "../../worker/assignment.ts";
import { Device } from "../../worker/compute/device.ts";
import { nothing, type WorkerContext } from "../../worker/context.ts";
import { openDataset } from "../../worker/data/open.ts";
import { engineEnvironment } from "../../worker/engine/environment.ts";
import { openServices } from "../../worker/services.ts";
import { bounded, scratchFolder, smokeJob } from "./foreman.ts";

interface Memory {
  readonly tensors: number;
  readonly bytes: number;
}

/** A worker that is student and teacher at once, on one device. */
async function prepared(t: TestContext, job: Job): Promise<WorkerContext> {
  Object.assign(process.env, engineEnvironment(job.threads));
  const jobFolder = packagePath("examples");
  const [services, dataset] = await Promise.all([
    openServices({ host: "127.0.0.1", port: 0 }),
    openDataset(job, jobFolder),
  ]);
  const device = new Device();
  t.after(async () => {
    services.close();
    await device.close();
  });
  await device.ask("open", { choice: job.engine, threads: job.threads });
  const status = { doing: "", waitingFor: nothing, step: 0 };
  const folders = { jobFolder, runFolder: scratchFolder(t) };
  return { job, ...folders, name: "student-1", dataset, device, services, status, trained: new Map() };
}

/** Runs a stage and writes its models. Returns the engine's memory after each epoch. */
async function runStage(context: WorkerContext, stage: Stage, term: number): Promise<Memory[]> {
  const { job, services, device, dataset, name, trained } = context;
  const { steps, soft } = planStages(job, dataset.count("train")).find((plan) => plan.stage === stage)!;
  const { address, host } = services;
  const member = { worker: name, address, host, firstLane: 0, lanes: job.lanes.count };
  const teacherSha256 = soft ? trained.get("teach")!.sha256 : "";
  const members = { students: [member], teachers: soft ? [{ ...member, firstLane: 0, lanes: 0 }] : [] };
  const assign = { stage, steps, ...members, teacherSha256, why: "" };
  const memories: Promise<Memory>[] = [];
  const hear = (message: FromWorker) => {
    if (message.evaluated) memories.push(device.ask("memory", null));
  };
  const student = new Assignment(context, term, assign, hear);
  await student.prepare("student");
  if (soft) await new Assignment(context, term, assign, () => {}).prepare("teacher");
  await student.begin();
  await student.export(stage);
  return await Promise.all(memories);
}

test("epochs, evaluations, checkpoints and exports leave no tensor behind (L8)", bounded, async (t) => {
  const context = await prepared(t, smokeJob("teach.epochs=4", "distil.epochs=4", "lanes.count=2"));
  const taught = await runStage(context, "teach", 1);
  assert.equal(taught.length, 4);
  for (const memory of taught) assert.deepEqual(memory, taught[0], "while the teacher is trained");
  const distilled = await runStage(context, "distil", 2);
  assert.equal(distilled.length, 4);
  for (const memory of distilled) assert.deepEqual(memory, distilled[0], "while the student is distilled");

  const once = await context.device.ask("memory", null);
  await runStage(context, "distil", 3);
  assert.deepEqual(await context.device.ask("memory", null), once, "a stage that is done again takes nothing more");
});
