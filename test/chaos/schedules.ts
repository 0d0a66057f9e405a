/**
 * `npm run schedules -- --count 100 [--from K] [--changes N] [--engine wasm]`: short jobs, each under its
 * own random joins, kills and resizes between 1 and 8 students; one JSON line; exit 1 where a run ended with other weights than the undisturbed one.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Command } from "commander";
import { randomStream } from "../../core/random.ts";
import type { Report } from "../../core/report.ts";
import { chaosJob, undisturbed, until } from "./chaos.ts";
import { Cluster } from "./cluster.ts";

const {
  count,
  from,
  steps,
  changes: most,
  engine,
} = new Command("schedules")
  .option("--count <n>", "schedules", Number, 100)
  .option("--from <n>", "seed of the first", Number, 0)
  .option("--steps <n>", "of the distil stage", Number, 150)
  .option("--changes <n>", "of a job, at most", Number, 8)
  .option("--engine <engine>", "tensorflow, or wasm, which starts sooner", "auto")
  .parse()
  .opts<{ count: number; from: number; steps: number; changes: number; engine: string }>();

const job = [...chaosJob(steps), "--set", `engine=${engine}`];
const mostStudents = 8;
const runMs = 120_000;
const note = (line: string) => void process.stderr.write(`schedules: ${line}\n`);

interface Done {
  readonly report: Report | null;
  readonly changes: number;
}

/** One job: students join, are killed, asked to leave, at moments of the seed's choosing. */
async function scheduled(folder: string, seed: number): Promise<Done> {
  const random = randomStream(seed, 0x5c4ed);
  const below = (limit: number) => Math.floor(random() * limit);
  const cluster = await Cluster.start(folder, job);
  let [joined, changes] = [0, 0];
  const add = () => cluster.join(`student-${++joined}`, "student");
  try {
    for (let number = 1; number <= 2; number++) await cluster.join(`teacher-${number}`, "teacher");
    for (let students = 1 + below(4); students > 0; students--) await add();
    await until(() => cluster.events().some(({ kind }) => kind === "stepped"), runMs);
    while (!cluster.report() && changes < most) {
      await sleep(100 + random() * 700);
      const students = cluster.living("student");
      const chosen = students[below(students.length)];
      const choice = random();
      if (choice < 0.4 && students.length < mostStudents) await add();
      else if (choice < 0.8 && chosen) await cluster.kill(chosen, below(600));
      else if (chosen && students.length > 1) await cluster.remove(chosen);
      changes += 1;
    }
    await until(() => cluster.report() !== null, runMs);
    return { report: cluster.report(), changes };
  } finally {
    await cluster.close();
  }
}

const root = mkdtempSync(join(tmpdir(), "limbeck-schedules-"));
const expected = await undisturbed(join(root, "undisturbed"), job);
const different: number[] = [];
let [changes, terms, miscounted] = [0, 0, 0];
for (let seed = from; seed < from + count; seed++) {
  const folder = join(root, String(seed));
  const done = await scheduled(folder, seed);
  const isEqual = (["teacher", "student"] as const).every(
    (model) => done.report?.[model].weightsSha256 === expected[model].weightsSha256,
  );
  const ledger = done.report?.ledger;
  if (!ledger || ledger.duplicated + ledger.missing > 0) miscounted += 1;
  changes += done.changes;
  terms += done.report?.terms ?? 0;
  note(
    `${seed}: ${isEqual ? "equal" : "DIFFERENT"} after ${done.changes} changes, ${done.report?.terms ?? "no"} terms`,
  );
  if (isEqual) rmSync(folder, { recursive: true });
  else different.push(seed);
}
const equal = count - different.length;
process.stdout.write(`${JSON.stringify({ schedules: count, equal, different, miscounted, changes, terms })}\n`);
if (different.length === 0) rmSync(root, { recursive: true });
process.exit(different.length + miscounted === 0 ? 0 : 1);
