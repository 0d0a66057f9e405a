/**
 * What metrics cost: the rate of training with them, scraped every half second, against the rate without, in turns in one run, for
 * steps of the usual size and of a toy; and how long /metrics of a coordinator with 500 workers takes to answer.
 * `npm run bench -- metrics [SECONDS]`: for each size.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { open } from "../coordinator/gather.ts";
import { createMetrics } from "../coordinator/metrics.ts";
import type { Happening, State } from "../coordinator/state.ts";
import { step } from "../coordinator/step.ts";
import type { Job } from "../core/job.ts";
import { parseJob } from "../core/jobfile.ts";
import { planStages } from "../core/stages.ts";
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
import type { PhaseSeconds } from "../worker/stepreport.ts";

const forMs = 1_000 * Number(process.argv[3] ?? 60);
/** Short, so that what else the machine does meets neighbours alike. */
const blockMs = 500;
const warmUpBlocks = 8;
const workers = 500;
const scrapes = 50;
const anywhere = { host: "127.0.0.1", port: 0 };

/** Collects in one block of time and not in the next, and counts the steps of each; a scrape belongs to a block that collects. */
class InTurns extends WorkerMetrics {
  readonly #scrape: () => Promise<unknown>;
  /** Steps per second by block, collecting first. */
  readonly rates: number[] = [];
  /** Steps per second of the process's processor time, which others on the machine take nothing of. */
  readonly cpuRates: number[] = [];
  #steps = 0;
  #sinceMs = performance.now();
  #since = process.cpuUsage();

  constructor(services: WorkerContext["services"]) {
    super();
    const page = this.page(services);
    this.#scrape = async () => page("");
  }

  get #collects(): boolean {
    return this.rates.length % 2 === 0;
  }

  override stepped(phases: PhaseSeconds): void {
    if (this.#collects) super.stepped(phases);
    this.#steps += 1;
    const tookMs = performance.now() - this.#sinceMs;
    if (tookMs < blockMs) return;
    const { user, system } = process.cpuUsage(this.#since);
    this.rates.push((1_000 * this.#steps) / tookMs);
    this.cpuRates.push((1e6 * this.#steps) / (user + system));
    this.#steps = 0;
    this.#since = process.cpuUsage();
    this.#sinceMs = performance.now();
    if (this.#collects) void this.#scrape();
  }

  override reported(...report: Parameters<WorkerMetrics["reported"]>): void {
    if (this.#collects) super.reported(...report);
  }
}

/** The rate of training with metrics as a share of the rate without: of each block and the next, quartiles. */
async function training(file: string) {
  const folder = mkdtempSync(join(tmpdir(), "limbeck-bench-"));
  const job = parseJob(await readFile(file, "utf8"), file, ["evaluation.everyEpochs=0", "checkpoint.everySteps=0"]);
  const solo = await openSolo(job, dirname(file), folder);
  try {
    const { context } = solo;
    const stages = planStages(context.job, context.dataset.count("train"));
    const plan = stages.find(({ stage }) => stage === "distil")!;
    const metrics = new InTurns(context.services);
    const cost = await measureSteps({ ...context, metrics }, { plan, term: 1, forMs });
    const stepMs = Number((1_000 * stepOf(cost, context.job.lanes.count)).toFixed(2));
    return { stepMs, ...compared(metrics.rates, "ofRate"), ...compared(metrics.cpuRates, "ofCpuRate") };
  } finally {
    await solo.close();
    rmSync(folder, { recursive: true });
  }
}

/** Of each block that collects and the next, which does not: the share of the rate, its quartiles, and how far the median may be off. */
function compared<Name extends string>(rates: readonly number[], name: Name) {
  // What is hot is compiled meanwhile.
  const warm = rates.slice(warmUpBlocks);
  const pairs = Math.floor(warm.length / 2);
  const shares = Array.from({ length: pairs }, (_, pair) => warm[2 * pair]! / warm[2 * pair + 1]!);
  shares.sort((one, other) => one - other);
  const at = (share: number) => shares[Math.floor(share * pairs)]!;
  // Of a normal distribution with these quartiles.
  const standardError = (1.253 * (at(0.75) - at(0.25))) / 1.349 / Math.sqrt(pairs);
  const rounded = (value: number) => Number(value.toFixed(4));
  return { [name]: { pairs, median: rounded(at(0.5)), standardError: rounded(standardError) } };
}

/** A job of so many workers in the middle of a term, as the coordinator's own decisions make it. */
function crowd(): { job: Job; state: State } {
  const few = testJob();
  const job: Job = {
    ...few,
    lanes: { ...few.lanes, count: workers },
    workers: { ...few.workers, students: workers - 1, teachers: 1 },
  };
  const plan = testPlan(job);
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
