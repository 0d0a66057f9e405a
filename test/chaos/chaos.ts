/** A job under chaos and the same job undisturbed: what came of both. */
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { startChild } from "../../cli/children.ts";
import type { Report } from "../../core/report.ts";
import { packagePath } from "../../proto/package.ts";
import { Cluster, eventsIn, reportIn } from "./cluster.ts";
import { drawFaults, type FaultKind } from "./faults.ts";
import { type Cost, distilRate, distilSteps, measure } from "./measure.ts";
import { type Struck, strike } from "./strike.ts";

export interface ChaosOptions {
  /** Made where it is missing; holds both runs and their logs. */
  readonly folder: string;
  readonly seed: number;
  readonly durationMs: number;
  readonly everyMs: number;
  /** Those that are drawn from; all, where not given. */
  readonly kinds?: readonly FaultKind[];
  /** Of the distil stage. */
  readonly steps: number;
  /** On top of the job file's, as KEY=VALUE. */
  readonly settings?: readonly string[];
  /** Without it, two. */
  readonly teachers?: number;
  readonly note: (line: string) => void;
}

export interface ChaosResult extends Cost {
  readonly faults: Readonly<Partial<Record<FaultKind, number>>>;
  readonly duplicated: number | null;
  readonly missing: number | null;
  readonly hashEqual: boolean;
  readonly isFinished: boolean;
  readonly steps: number;
  readonly wallSeconds: number;
  /** Processes that ended otherwise than they were told to. */
  readonly surprises: readonly string[];
}

const students = 4;

/** The job file and its settings, as the command line takes them. */
export function chaosJob(steps: number, settings: readonly string[] = []): string[] {
  const set = [`distil.steps=${steps}`, `teach.steps=${Math.max(20, Math.round(steps / 5))}`, ...settings];
  return [packagePath("test/chaos/chaos.yaml"), ...set.flatMap((each) => ["--set", each])];
}

/** The job with nobody disturbing it. */
export async function undisturbed(folder: string, job: readonly string[], count = 1): Promise<Report> {
  const args = ["run", ...job, "--out", folder, "--students", String(count), "--quiet"];
  // A model that waits (test/fixtures) need not do so here: it changes no bit.
  const { ended } = startChild("the undisturbed run", args, { env: { LIMBECK_TEST_PASS_MS: "0" } });
  const { exitCode, how } = await ended;
  if (exitCode !== 0) throw new Error(`the undisturbed run ${how}`);
  return reportIn(folder)!;
}

/** Steps a second of the job's distil stage, by its second half: the first one warms up. */
export async function pace(folder: string, job: readonly string[], students: number): Promise<number> {
  await undisturbed(folder, job, students);
  const stepped = distilSteps(eventsIn(folder), 0, Number.POSITIVE_INFINITY);
  return distilRate(stepped, stepped[stepped.length >> 1]!.atMs, Number.POSITIVE_INFINITY);
}

export async function startCluster(folder: string, job: readonly string[], teachers = 2): Promise<Cluster> {
  const cluster = await Cluster.start(folder, job);
  for (let number = 1; number <= students; number++) await cluster.join(`student-${number}`, "student");
  for (let number = 1; number <= teachers; number++) await cluster.join(`teacher-${number}`, "teacher");
  return cluster;
}

/** Waits until `isSo`; false where it does not come to that. */
export async function until(isSo: () => boolean | Promise<boolean>, deadlineMs: number): Promise<boolean> {
  for (const deadline = Date.now() + deadlineMs; Date.now() < deadline; await sleep(100)) if (await isSo()) return true;
  return false;
}

export async function chaos(options: ChaosOptions): Promise<ChaosResult> {
  const { folder, seed, steps, settings, teachers, note, ...timing } = options;
  const job = chaosJob(steps, settings);
  await mkdir(folder, { recursive: true });
  const expected = await undisturbed(join(folder, "undisturbed"), job);
  note(`undisturbed: weights ${expected.student.weightsSha256.slice(0, 12)} in ${expected.wallSeconds.toFixed(0)} s`);
  const cluster = await startCluster(join(folder, "run"), job, teachers);
  const done: Struck[] = [];
  try {
    const isUp = await until(() => cluster.events().some(({ kind }) => kind === "stepped"), 120_000);
    if (!isUp) note("no step came in 120 s");
    const startedMs = Date.now();
    const under: Promise<void>[] = [];
    for (const fault of drawFaults(seed, timing)) {
      await sleep(Math.max(0, startedMs + fault.atMs - Date.now()));
      if (!isUp || cluster.report()) break;
      const struck = (each: Struck) => {
        done.push(each);
        note(
          `${((each.atMs - startedMs) / 1000).toFixed(1)} s: ${each.kind} ${each.worker ?? ""}, ${Math.round(each.lastsMs)} ms`,
        );
      };
      under.push(strike(cluster, fault, struck));
    }
    await Promise.all(under);
    const isFinished = isUp && (await until(() => cluster.report() !== null, timing.durationMs + 120_000));
    const report = cluster.report();
    if (!isFinished) note(`the job did not finish: ${JSON.stringify(await cluster.state())}`);
    const ledgers = report?.stages.map(({ ledger }) => ledger) ?? null;
    const sum = (key: "duplicated" | "missing") => ledgers?.reduce((all, ledger) => all + ledger[key], 0) ?? null;
    return {
      faults: counted(done),
      ...measure(cluster.events(), done),
      duplicated: sum("duplicated"),
      missing: sum("missing"),
      hashEqual:
        report?.student.weightsSha256 === expected.student.weightsSha256 &&
        report.teacher.weightsSha256 === expected.teacher.weightsSha256,
      isFinished,
      steps,
      wallSeconds: Math.round((Date.now() - startedMs) / 1000),
      surprises: cluster.surprises,
    };
  } finally {
    await cluster.close();
  }
}

function counted(done: readonly Struck[]): Partial<Record<FaultKind, number>> {
  const counts: Partial<Record<FaultKind, number>> = {};
  for (const { kind } of done) counts[kind] = (counts[kind] ?? 0) + 1;
  return counts;
}

/** Nothing counted twice or left out, the same bits, and an end. */
export function isRight({ duplicated, missing, hashEqual, isFinished }: ChaosResult): boolean {
  return duplicated === 0 && missing === 0 && hashEqual && isFinished;
}
