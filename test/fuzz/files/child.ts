/** A process that reads one input after the other; what batch.ts starts. A line on stdout for each fault. */
import { join } from "node:path";
import { type Input, inputOf } from "./generate.ts";
import { judged, layOut, peakMiB } from "./judge.ts";
import { openProgress } from "./progress.ts";
import { targetNamed } from "./targets.ts";
import { watchOpening } from "./watch.ts";

/** Told as JSON, as the only argument. */
export interface ChildTask {
  readonly target: string;
  readonly seed: number;
  /** The first input. */
  readonly from: number;
  /** Inputs beside those that are written by hand; null for as many as there is time for. */
  readonly generated: number | null;
  /** Unix time in milliseconds. */
  readonly untilMs: number | null;
  /** This one alone. */
  readonly only: number | null;
  /** A folder of the child's own. */
  readonly place: string;
  readonly progressFile: string;
  /** Where inputs are kept that show a fault. */
  readonly kept: string;
}

export interface ToldFault {
  readonly input: number;
  readonly what: string;
}

/** More of one target tell no more. */
const mostFaults = 20;

const task = JSON.parse(process.argv[2]!) as ChildTask;
const { target: name, seed, from, generated, untilMs, only, place, progressFile, kept } = task;
watchOpening();
const target = await targetNamed(name);
const opened = await target.open(place);
const { progress, write, close } = openProgress(progressFile);
const end = generated === null ? Number.POSITIVE_INFINITY : Object.keys(opened.nasties).length + generated;

async function readOne(number: number): Promise<void> {
  Object.assign(progress, { number });
  write();
  const input: Input = inputOf(opened, name, seed, number);
  const { verdict, ms } = await judged(opened, input, place);
  progress.inputs += 1;
  progress.slowestMs = Math.max(progress.slowestMs, ms);
  progress.peakMiB = Math.max(progress.peakMiB, peakMiB());
  if (verdict.kind === "fault") {
    progress.faults += 1;
    layOut(join(kept, `${name}-${number}`), input);
    const told: ToldFault = { input: number, what: `${input.what}: ${verdict.what}` };
    process.stdout.write(`${JSON.stringify(told)}\n`);
  } else progress[verdict.kind] += 1;
  if (only !== null) process.stderr.write(`${name} ${number}: ${input.what}: ${verdict.kind} ${verdict.what}\n`);
}

if (only !== null) await readOne(only);
else
  for (let number = from; number < end && progress.faults < mostFaults; number++) {
    if (untilMs !== null && Date.now() > untilMs) break;
    await readOne(number);
  }
write();
close();
await opened.close?.();
process.exit(0);
