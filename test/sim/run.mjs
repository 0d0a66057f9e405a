/**
 * `npm run sim -- --seeds 10000 [--from K]`: so many clusters, every third with several coordinators, in two processes; ends
 * with one JSON line, and 1 where one failed. `--seed N --trace`: one, in words.
 */
import { spawn, spawnSync } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const { values } = parseArgs({
  options: {
    seeds: { type: "string", default: "1000" },
    from: { type: "string", default: "0" },
    seed: { type: "string" },
    trace: { type: "boolean", default: false },
  },
});
const root = fileURLToPath(new URL("../..", import.meta.url));
const compiled = (name) => fileURLToPath(new URL(`../../dist/test/sim/${name}`, import.meta.url));

if (values.seed !== undefined) {
  const { simulate } = await import(compiled("cluster.js"));
  const { story, failure, ...result } = simulate(Number(values.seed), { isTold: true });
  const shown = values.trace ? story : story.slice(-60);
  process.stdout.write(`${shown.join("\n")}\n`);
  process.stderr.write(`${failure ?? "done"}\n${JSON.stringify(result)}\n`);
  process.exit(failure === null ? 0 : 1);
}

const [from, seeds, processes] = [Number(values.from), Number(values.seeds), 2];
const startedMs = performance.now();
const total = { sim: true, seeds, failed: [], faults: {}, terms: 0, leaders: 0, roleChanges: 0, seconds: 0 };
const done = Array(processes).fill(0);

await Promise.all(done.map((_, at) => part(at)));
total.failed.sort((a, b) => a - b);
total.seconds = Math.round((performance.now() - startedMs) / 100) / 10;
process.stderr.write("\n");
for (const seed of total.failed.slice(0, 3)) {
  const args = ["--enable-source-maps", fileURLToPath(import.meta.url), "--seed", String(seed)];
  process.stderr.write(`\nseed ${seed}:\n`);
  spawnSync(process.execPath, args, { cwd: root, stdio: ["ignore", 2, 2] });
}
process.stdout.write(`${JSON.stringify(total)}\n`);
process.exit(total.failed.length === 0 ? 0 : 1);

/** Every second seed, in a process of its own. */
async function part(at) {
  const args = ["--enable-source-maps", compiled("run.js"), String(from + at), String(from + seeds), String(processes)];
  const child = spawn(process.execPath, args, { cwd: root, stdio: ["ignore", "pipe", "inherit"] });
  const ended = new Promise((resolve) => child.once("close", resolve));
  for await (const line of createInterface(child.stdout)) hear(at, JSON.parse(line));
  if ((await ended) !== 0) throw new Error("a process of the simulation broke down");
}

function hear(at, { seed, failure, done: count, terms, leaders, roleChanges, faults = {} }) {
  if (failure) {
    total.failed.push(seed);
    process.stderr.write(`\nseed ${seed}: ${failure}\n`);
  }
  if (count !== undefined) done[at] = count;
  total.terms += terms ?? 0;
  total.leaders += leaders ?? 0;
  total.roleChanges += roleChanges ?? 0;
  for (const [kind, number] of Object.entries(faults)) total.faults[kind] = (total.faults[kind] ?? 0) + number;
  const sum = done.reduce((one, other) => one + other);
  process.stderr.write(`\r${sum} of ${seeds} seeds, ${total.failed.length} failed `);
}
