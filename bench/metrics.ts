/**
 * What metrics cost: the rate of training with them, scraped every second, against the rate without, in turns in one process, for
 * a step of the usual size and one of a toy; and how long /metrics of a coordinator with 500 workers takes to answer.
 * `npm run bench -- metrics [SECONDS]`: for each turn.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { open } from "../coordinator/gather.ts";
import { createMetrics } from "../coordinator/metrics.ts";
import type { Happening, State } from "../coordinator/state.ts";
import { step } from "../coordinator/step.ts";
import { parseJob } from "../core/jobfile.ts";
import { planStages, type StagePlan } from "../core/stages.ts";
import { packagePath } from "../proto/package.ts";
import { exposition } from "../proto/telemetry/exposition.ts";
import { servePages } from "../proto/telemetry/http.ts";
import { processRegistry } from "../proto/telemetry/processmetrics.ts";
import { testJob, testPlan } from "../test/coordinator/jobs.ts";
import { messageOf } from "../test/scenario/speech.ts";
import type { WorkerContext } from "../worker/context.ts";
import { WorkerMetrics } from "../worker/metrics.ts";
import { measureSteps, stepOf } from "../worker/plan/measured.ts";
import { openSolo } from "../worker/solo.ts";

const forMs = 1_000 * Number(process.argv[3] ?? 4);
const turns = 6;
const workers = 500;
const scrapes = 50;
const anywhere = { host: "127.0.0.1", port: 0 };

/** Counts nothing. */
class NoMetrics extends WorkerMetrics {
  override stepped(): void {}
  override reported(): void {}
}

interface Turns {
  readonly context: WorkerContext;
  readonly plan: StagePlan;
  term: number;
}

async function secondsPerStep(turn: Turns, metrics: WorkerMetrics): Promise<number> {
  const { context, plan } = turn;
  turn.term += 1;
  const cost = await measureSteps({ ...context, metrics }, { plan, term: turn.term, forMs });
  return stepOf(cost, context.job.lanes.count);
}

async function scraped(turn: Turns): Promise<number> {
  const metrics = new WorkerMetrics();
  const http = await servePages(anywhere, { "/metrics": metrics.page(turn.context.services) });
  const scraping = setInterval(() => void fetch(`http://${http.address}/metrics`).then((page) => page.text()), 1_000);
  try {
    return await secondsPerStep(turn, metrics);
  } finally {
    clearInterval(scraping);
    await http.close();
  }
}

/** The rate with metrics as a share of the rate without: the median over the turns. */
async function training(file: string) {
  const folder = mkdtempSync(join(tmpdir(), "limbeck-bench-"));
  const job = parseJob(await readFile(file, "utf8"), file, ["evaluation.everyEpochs=0", "checkpoint.everySteps=0"]);
  const solo = await openSolo(job, dirname(file), folder);
  try {
    const { context } = solo;
    const stages = planStages(context.job, context.dataset.count("train"));
    const turn: Turns = { context, plan: stages.find(({ stage }) => stage === "distil")!, term: 0 };
    const shares: number[] = [];
    let stepSeconds = 0;
    for (let each = 0; each < turns; each++) {
      // Who goes first has the colder machine: they take it in turns, too.
      const isFirst = each % 2 === 0;
      const before = isFirst ? await scraped(turn) : 0;
      stepSeconds = await secondsPerStep(turn, new NoMetrics());
      shares.push(stepSeconds / (isFirst ? before : await scraped(turn)));
    }
    const sorted = shares.map((share) => Number(share.toFixed(4))).sort((a, b) => a - b);
    return { stepMs: Number((1_000 * stepSeconds).toFixed(2)), ofRate: sorted[turns / 2]!, turns: sorted };
  } finally {
    await solo.close();
    rmSync(folder, { recursive: true });
  }
}

/** A job of so many workers in the middle of a term, as the coordinator's own decisions make it. */
function crowd(): { job: ReturnType<typeof testJob>; state: State } {
  const job = testJob({ workers: { students: workers - 1, teachers: 1 } });
  const plan = testPlan({ ...job, lanes: { ...job.lanes, count: workers } });
  let [state] = open(plan, 0);
  const happen = (happening: Happening) => {
    [state] = step(plan, state, { ...happening, atMs: 0 });
  };
  const say = (session: number, verb: string) => {
    const words = [`worker-${session}`, session === 1 ? "teacher" : "student"];
    const term = "term" in state ? state.term : 0;
    happen({ kind: "message", session, message: messageOf({ verb, words, values: {} }, term, "teach") });
  };
  for (const verb of ["hello", "prepared", "ready"]) for (let each = 1; each <= workers; each++) say(each, verb);
  return { job, state };
}

async function answering() {
  const { job, state } = crowd();
  const registry = processRegistry();
  const metrics = createMetrics(registry, { job, stages: ["teach", "distil", "baseline"], now: Date.now });
  const http = await servePages(anywhere, { "/metrics": exposition(registry, () => metrics.refresh(state)) });
  const times: number[] = [];
  let text = "";
  for (let each = 0; each < scrapes; each++) {
    const startedMs = performance.now();
    text = await (await fetch(`http://${http.address}/metrics`)).text();
    times.push(performance.now() - startedMs);
  }
  await http.close();
  times.sort((a, b) => a - b);
  const ms = (at: number) => Number(times[Math.min(scrapes - 1, Math.floor(at * scrapes))]!.toFixed(1));
  const seriesCount = text.split("\n").filter((line) => line !== "" && !line.startsWith("#")).length;
  return {
    workers,
    state: state.kind,
    series: seriesCount,
    bytes: text.length,
    medianMs: ms(0.5),
    p95Ms: ms(0.95),
    maxMs: ms(1),
  };
}

const answer = await answering();
const usual = await training(packagePath("bench/distil.yaml"));
const toy = await training(packagePath("examples/smoke.yaml"));
process.stdout.write(`${JSON.stringify({ bench: "metrics", answer, usual, toy })}\n`);
