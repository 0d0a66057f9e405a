/** Steady state holds a constant number of tensors and bytes (L8), over the real training of a teacher and its student. */
import assert from "node:assert/strict";
import { EventEmitter, on } from "node:events";
import { type TestContext, test } from "node:test";
import { setImmediate } from "node:timers/promises";
import type { Job } from "../../core/job.ts";
import { planStages, type Stage } from "../../core/stages.ts";
import type { FromWorker } from "../../proto/gen/limbeck/v1/FromWorker.ts";
import type { ToWorker__Output } from "../../proto/gen/limbeck/v1/ToWorker.ts";
import { packagePath } from "../../proto/package.ts";
import { silent } from "../../proto/telemetry/log.ts";
import { Device } from "../../worker/compute/device.ts";
import { newStatus, type WorkerContext } from "../../worker/context.ts";
import { openDataset } from "../../worker/data/open.ts";
import { engineEnvironment } from "../../worker/engine/environment.ts";
import { WorkerMetrics } from "../../worker/metrics.ts";
import { Participation } from "../../worker/participation.ts";
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
  const metrics = new WorkerMetrics();
  const [services, dataset] = await Promise.all([
    openServices({ listen: { host: "127.0.0.1", port: 0 }, metrics, log: silent }),
    openDataset(job, jobFolder),
  ]);
  const device = new Device();
  t.after(async () => {
    services.close();
    await device.close();
  });
  await device.ask("open", { choice: job.engine, threads: job.threads });
  const status = newStatus("");
  const folders = { jobFolder, runFolder: scratchFolder(t), depot: null };
  const seen = { status, metrics, log: silent };
  return { job, ...folders, name: "student-1", dataset, device, services, ...seen, trained: new Map() };
}

/** A coordinator in few words: gives terms of one member, and hears what it says. */
class Prompter {
  readonly context: WorkerContext;
  readonly #participation: Participation;
  readonly #heard = new EventEmitter();
  #term = 0;

  constructor(context: WorkerContext) {
    this.#heard.setMaxListeners(0);
    this.context = context;
    this.#participation = new Participation(context, {
      send: (message) => this.#heard.emit("message", message),
      isHeard: () => true,
      fail: (error) => {
        if (error.code !== "stopped") this.#heard.emit("error", error);
      },
      changed: () => {},
    });
  }

  /** Opens a term of the stage and gets it under way. */
  async open(stage: Stage, evaluated: () => void = () => {}): Promise<void> {
    const { job, services, dataset, name, trained } = this.context;
    const { steps, soft } = planStages(job, dataset.count("train")).find((plan) => plan.stage === stage)!;
    const { address, host } = services;
    const member = { worker: name, address, host, firstLane: 0, lanes: job.lanes.count, part: 0 };
    const teacherSha256 = soft ? trained.get("teach")!.sha256 : "";
    const members = { students: [member], teachers: soft ? [{ ...member, lanes: 0 }] : [] };
    const order = { planned: true, teacherSources: [member], restore: false, restoreBelow: 0, why: "", dataset: null };
    const term = ++this.#term;
    const ready = this.hear((message) => message.term === term && message.ready);
    this.#heard.on("message", ({ evaluated: share }: FromWorker) => share && evaluated());
    this.#give({ body: "assign", assign: { stage, steps, ...members, teacherSha256, ...order } });
    const { step = 0, hasSum = false } = await ready;
    const softTargets = { teacherEngine: "here", uncacheable: "" };
    const sumSources = hasSum ? [name] : [];
    const begin = { step: Number(step), sources: [name], sumSources, evaluate: false, ...softTargets };
    this.#give({ body: "begin", begin });
  }

  async hear<T>(find: (message: FromWorker) => T | null | undefined | false): Promise<T> {
    for await (const [message] of on(this.#heard, "message")) {
      const found = find(message);
      if (found) return found;
    }
    throw new Error("nothing more is said");
  }

  /** Runs a stage and writes its models. Returns the engine's memory after each epoch. */
  async run(stage: Stage): Promise<Memory[]> {
    const memories: Promise<Memory>[] = [];
    const done = this.hear(({ stageDone }) => stageDone);
    await this.open(stage, () => memories.push(this.context.device.ask("memory", null)));
    await done;
    this.#heard.removeAllListeners();
    const exported = this.hear(({ exported }) => exported);
    await setImmediate();
    this.#give({ body: "export", export: { stage, pictures: [0, 1] } });
    await exported;
    return await Promise.all(memories);
  }

  #give(order: Omit<ToWorker__Output, "term" | "fence">): void {
    this.#participation.hear({ term: this.#term, ...order });
  }
}

test("epochs, evaluations, checkpoints and exports leave no tensor behind (L8)", bounded, async (t) => {
  const context = await prepared(t, smokeJob("teach.epochs=4", "distil.epochs=4", "lanes.count=2"));
  const prompter = new Prompter(context);
  const taught = await prompter.run("teach");
  assert.equal(taught.length, 4);
  for (const memory of taught) assert.deepEqual(memory, taught[0], "while the teacher is trained");
  const distilled = await prompter.run("distil");
  assert.equal(distilled.length, 4);
  for (const memory of distilled) assert.deepEqual(memory, distilled[0], "while the student is distilled");

  const once = await context.device.ask("memory", null);
  await prompter.run("distil");
  assert.deepEqual(await context.device.ask("memory", null), once, "a stage that is done again takes nothing more");
});

test("fifty terms take no memory, and cost milliseconds (L8)", bounded, async (t) => {
  const widths = "teacher={kind: mlp, widths: [1024, 512]}"; // 1.3 M parameters
  const job = smokeJob(widths, "teach.epochs=100000", "evaluation.everyEpochs=0", "checkpoint.everySteps=0");
  const context = await prepared(t, job);
  const prompter = new Prompter(context);
  const progress = () => prompter.hear(({ progress }) => progress);
  for (let term = 0; term < 10; term++) {
    await prompter.open("teach");
    await progress();
  }
  const before = await context.device.ask("memory", null);
  const residentBefore = process.memoryUsage.rss();
  const lasted: number[] = [];
  for (let term = 0; term < 50; term++) {
    const sinceMs = performance.now();
    await prompter.open("teach");
    lasted.push(performance.now() - sinceMs);
    await prompter.hear(({ progress }) => progress);
  }
  lasted.sort((a, b) => a - b);
  t.diagnostic(
    `a term change takes ${lasted[25]!.toFixed(1)} ms, at most ${lasted.at(-1)!.toFixed(1)} ms, with the step in flight`,
  );
  assert.deepEqual(await context.device.ask("memory", null), before);
  const grown = process.memoryUsage.rss() - residentBefore;
  assert.ok(grown < 64 * 2 ** 20, `${(grown / 2 ** 20).toFixed(0)} MiB more after 50 terms`);
});
