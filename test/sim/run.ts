/** Seeds from..to, one JSON line each that failed, then one of what was done: what run.mjs starts, twice. */
import { simulate } from "./cluster.ts";

const [from = 0, to = 0, stride = 1] = process.argv.slice(2).map(Number);
let [terms, leaders, roleChanges, done] = [0, 0, 0, 0];
const faults: Record<string, number> = {};
for (let seed = from; seed < to; seed += stride) {
  const result = simulate(seed);
  done += 1;
  terms += result.terms;
  leaders += result.leaders;
  roleChanges += result.roleChanges;
  for (const [kind, count] of Object.entries(result.faults)) faults[kind] = (faults[kind] ?? 0) + count;
  if (result.failure) process.stdout.write(`${JSON.stringify({ seed, failure: result.failure })}\n`);
  if (done % 50 === 0) process.stdout.write(`${JSON.stringify({ done })}\n`);
}
process.stdout.write(`${JSON.stringify({ done, terms, leaders, roleChanges, faults })}\n`);
