/**
 * `npm run chaos -- --minutes 10 --every 15 [--seed S] [--steps N] [--teachers N] [--kinds KIND...]`: one JSON line; exit 1
 * where the run was not right.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Command, Option } from "commander";
import { type ChaosResult, chaos, chaosJob, isRight, pace } from "./chaos.ts";
import { type FaultKind, faultKinds } from "./faults.ts";

const options = new Command("chaos")
  .option("--minutes <n>", "how long the job is to last", Number, 10)
  .option("--every <seconds>", "seconds between two faults", Number, 15)
  .option("--seed <n>", "of the faults", Number, 1)
  .option("--steps <n>", "steps of the distil stage, instead of as many as fit", Number)
  .option("--teachers <n>", "beside four students", Number, 2)
  .addOption(new Option("--kinds <kind...>", "only these faults").choices(faultKinds))
  .parse()
  .opts<{ minutes: number; every: number; seed: number; steps?: number; teachers: number; kinds?: FaultKind[] }>();

const folder = mkdtempSync(join(tmpdir(), "limbeck-chaos-"));
const note = (line: string) => void process.stderr.write(`chaos: ${line}\n`);
const calibrationSteps = 1_200;

/** As many as four students and two teachers take in the time. */
async function fitting(minutes: number): Promise<number> {
  const perSecond = await pace(join(folder, "calibration"), chaosJob(calibrationSteps), 4);
  return Math.max(calibrationSteps, Math.round(minutes * 60 * perSecond));
}

const { minutes, every, seed, teachers, kinds } = options;
const steps = options.steps ?? (await fitting(minutes));
note(`${steps} steps, seed ${seed}, in ${folder}`);
const given = {
  folder,
  seed,
  durationMs: minutes * 60_000,
  everyMs: every * 1_000,
  steps,
  teachers,
  note,
  ...(kinds && { kinds }),
};
const result: ChaosResult = await chaos(given);
process.stdout.write(`${JSON.stringify({ chaos: "chaos.yaml", seed, minutes, every, ...result })}\n`);
if (isRight(result)) rmSync(folder, { recursive: true });
else note(`what is left of it lies in ${folder}`);
process.exit(isRight(result) ? 0 : 1);
