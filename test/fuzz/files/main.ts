/**
 * `npm run fuzz:files -- [--seconds 60] [--seed S] [--target NAME…]`: hostile files, as many as there is time for; one JSON
 * line, exit 1 where a fault was found. `--input N --target NAME`: one input again, with what comes of it.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Command, InvalidArgumentError, Option } from "commander";
import { fuzzed, type Outcome } from "./batch.ts";
import { targetNames } from "./targets.ts";

function whole(text: string): number {
  if (/^\d+$/.test(text)) return Number(text);
  throw new InvalidArgumentError("a whole number is needed.");
}

const command = new Command("fuzz:files")
  .option("--seconds <n>", "for all targets together", whole, 60)
  .option("--seed <n>", "of the draws", whole, 1)
  .addOption(new Option("--target <name...>", "only these").choices(targetNames).default(targetNames, "all"))
  .option("--input <n>", "this input of the target alone", whole)
  .parse();
const { seconds, seed, target, input } = command.opts<{
  seconds: number;
  seed: number;
  target: readonly string[];
  input?: number;
}>();
if (input !== undefined && target.length !== 1) command.error("--input needs the one --target that it is of");

const kept = mkdtempSync(join(tmpdir(), "limbeck-fuzz-"));
const results: Record<string, Outcome> = {};
for (const name of target) {
  const timed = { seed, generated: null, seconds: seconds / target.length, kept };
  results[name] = await fuzzed(name, input === undefined ? timed : { ...timed, only: input });
  for (const fault of results[name].faults) process.stderr.write(`fuzz: ${name} ${fault.input}: ${fault.what}\n`);
}
const isRight = Object.values(results).every(({ faults }) => faults.length === 0);
if (isRight) rmSync(kept, { recursive: true });
process.stdout.write(
  `${JSON.stringify({ fuzz: "files", seed, seconds, targets: results, kept: isRight ? null : kept })}\n`,
);
process.exit(isRight ? 0 : 1);
