/**
 * `npm run fuzz -- --seconds N [--seed S] [--method NAME] [--attack NAME]`: attacks every gRPC method of real processes; one JSON
 * line, exit 1 where something was wrong.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Command, Option } from "commander";
import { attacks, fuzz, targets } from "./fuzz.ts";

const options = new Command("fuzz")
  .option("--seconds <n>", "of all attacks together", Number, 60)
  .option("--seed <n>", "of what is sent", Number, 1)
  .addOption(new Option("--target <name>", "only this one, for its share of the time").choices(Object.keys(targets)))
  .option("--method <name>", "only methods with this in their name, such as Join")
  .addOption(new Option("--attack <name>", "only this one").choices(Object.keys(attacks)))
  .parse()
  .opts<{ seconds: number; seed: number; target?: keyof typeof targets; method?: string; attack?: string }>();

const folder = mkdtempSync(join(tmpdir(), "limbeck-fuzz-"));
const note = (line: string) => void process.stderr.write(`fuzz: ${line}\n`);
const result = await fuzz({ ...options, folder, note });
process.stdout.write(`${JSON.stringify({ fuzz: "wire", ...options, ...result })}\n`);
const isRight = result.wrong.length === 0;
if (isRight) rmSync(folder, { recursive: true });
else note(`what is left of it lies in ${folder}`);
process.exit(isRight ? 0 : 1);
