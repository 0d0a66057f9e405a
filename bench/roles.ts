/**
 * Four workers whose roles are the coordinator's to choose, started from the worst split into teachers and students: what it
 * does about it, and its rate in the end against the best of all fixed splits. `npm run bench -- roles [SECONDS]`: for each
 * fixed split, and six times as long for the search.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { ProgressEvent } from "../core/events.ts";
import { chaosJob, until } from "../test/chaos/chaos.ts";
import { Cluster } from "../test/chaos/cluster.ts";
import { distilRate, distilSteps } from "../test/chaos/measure.ts";
import { limitCpu, releaseCpu } from "./cpulimit.ts";

const workers = 4;
const windowMs = 1000 * Number(process.argv[3] ?? 20);
const searchWindows = 6;
/** With so little of a core, compiling alone takes seconds. */
const warmUpMs = 20_000;
/** Of a core, for each worker: on one machine whose cores are all busy every split would be as fast as every other. */
const cpuShare = 0.35;
const endlessSteps = 10_000_000;

const root = mkdtempSync(join(tmpdir(), "limbeck-roles-"));
const surprises: string[] = [];

/** Small steps of a small student; the teacher is where the work is. */
function job(teachers: number, roles: "fixed" | "auto"): string[] {
  const settings = [
    "teach.steps=20",
    "teacher={kind: mlp, widths: [2400, 2400]}",
    "evaluation.everyEpochs=0",
    "checkpoint.everySteps=0",
    `workers={students: ${workers - teachers}, teachers: ${teachers}, roles: ${roles}}`,
  ];
  return [...chaosJob(endlessSteps), ...settings.flatMap((each) => ["--set", each])];
}

/** Examples a second between two moments; 0 where there were no two reports. */
function rateOf(events: readonly ProgressEvent[], fromMs: number, toMs: number): number {
  const started = events.find((event) => event.kind === "job-started");
  const batch = started?.kind === "job-started" ? started.lanes * started.laneBatch : 0;
  return Math.round(batch * distilRate(events, fromMs, toMs));
}

/** Runs the job for so long beyond the warm-up of its distil stage. */
async function run(name: string, teachers: number, { roles, ms }: { roles: "fixed" | "auto"; ms: number }) {
  const cluster = await Cluster.start(join(root, name), job(teachers, roles));
  try {
    for (let number = 1; number <= workers; number++) {
      const role = number <= teachers ? "teacher" : "student";
      await cluster.join(`worker-${number}`, roles === "auto" ? "auto" : role);
    }
    for (const { name, child } of cluster.living()) limitCpu(name, child!.process.pid!, cpuShare);
    const hasBegun = () => distilSteps(cluster.events(), 0, Number.POSITIVE_INFINITY).length > 3;
    if (!(await until(hasBegun, 180_000))) throw new Error(`${name}: no step of distil came in 180 s, see ${root}`);
    const begunMs = Date.now();
    await sleep(warmUpMs + ms);
    const why = (await cluster.state())?.split?.why ?? null;
    return { events: cluster.events(), begunMs, endedMs: Date.now(), why };
  } finally {
    await cluster.close();
    releaseCpu();
    surprises.push(...cluster.surprises);
  }
}

const fixed: Record<number, number> = {};
for (let teachers = 1; teachers < workers; teachers++) {
  const { events, begunMs, endedMs } = await run(`fixed-${teachers}`, teachers, { roles: "fixed", ms: windowMs });
  fixed[teachers] = rateOf(events, begunMs + warmUpMs, endedMs);
  process.stderr.write(`${teachers} teachers: ${fixed[teachers]} examples/s\n`);
}
const byRate = Object.entries(fixed).sort((one, other) => one[1] - other[1]);
const [worst, best] = [byRate[0]!, byRate.at(-1)!];
const searchMs = searchWindows * windowMs;
const { events, begunMs, endedMs, why } = await run("auto", Number(worst[0]), { roles: "auto", ms: searchMs });
const distilling = events.findIndex((event) => event.kind === "stage-started" && event.stage === "distil");
const terms = events.slice(distilling).flatMap((event) => (event.kind === "term-opened" ? [event] : []));
const trace = terms.map(({ atMs, teachers, deal, why }, at) => {
  const untilMs = terms[at + 1]?.atMs ?? endedMs;
  const next = distilSteps(events, atMs, untilMs)[0];
  return {
    seconds: Number(((atMs - begunMs) / 1000).toFixed(1)),
    students: deal.length,
    teachers: teachers.length,
    rate: rateOf(events, atMs, untilMs),
    // From the order to change until a step is made under it.
    changeMs: next ? next.atMs - atMs : null,
    why,
  };
});
const settled = rateOf(events, endedMs - windowMs, endedMs);
const changeMs = Math.max(0, ...trace.map((each) => each.changeMs ?? 0));
const share = Number((settled / best[1]).toFixed(3));
process.stdout.write(
  `${JSON.stringify({ bench: "roles", workers, fixed, from: Number(worst[0]), best: Number(best[0]), settled, share, changeMs, why, trace })}\n`,
);
if (surprises.length > 0) process.stderr.write(`${surprises.join("\n")}\nsee ${root}\n`);
else rmSync(root, { recursive: true });
