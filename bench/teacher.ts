/**
 * The teacher service against a bare loop of the same forward passes in the same process: examples a second with 1 and with 8
 * students asking, the latency at half of that load, and bytes an example by format.
 */

import { fork } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { setTimeout } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { parseJob } from "../core/jobfile.ts";
import { sizeOf } from "../core/layout.ts";
import { laneExamples } from "../core/ledger.ts";
import { packagePath } from "../proto/package.ts";
import { Arena } from "../worker/arena.ts";
import { modelRequest } from "../worker/context.ts";
import { factsOf } from "../worker/data/dataset.ts";
import { processEnvironment } from "../worker/engine/environment.ts";
import { SoftTargetClient } from "../worker/softtargets/client.ts";
import { bytesPerExample, type LogitsFormat } from "../worker/softtargets/format.ts";
import { openSolo } from "../worker/solo.ts";
import { Teacher } from "../worker/teacher.ts";

const file = packagePath("bench/distil.yaml");
const job = parseJob(readFileSync(file, "utf8"), file);
const measuredMs = 8_000;
const warmupMs = 3_000;
const mnist = { classes: 10, trainExamples: 60_000 };
const formats: readonly LogitsFormat[] = [
  { kind: "float16" },
  { kind: "float32" },
  { kind: "topk", k: 4, temperature: job.distil.temperature },
];

interface Served {
  readonly address: string;
  readonly teacher: string;
  readonly dataset: string;
}

if (process.argv[2] === "teacher") await serve();
else await measure();

/** A child: says where it serves, and runs the bare loop when told to. */
async function serve(): Promise<void> {
  const { context } = await openSolo(job, ".", tmpdir());
  const { device, services, dataset } = context;
  const built = await device.ask("build", { name: "teacher", ...modelRequest(context, "teacher") });
  context.trained.set("teach", { ...built, sha256: "t" });
  const never = new AbortController().signal;
  const wanted = { term: 1, part: 0, teacherSha256: "t", teacherSources: [], dataset: factsOf(dataset) };
  const teacher = await Teacher.prepare(context, wanted, never);
  services.softTargets.serve(teacher.serving(1, "distil"));
  const floats = job.lanes.batch * sizeOf(dataset.shape);
  process.on("disconnect", () => process.exit());
  process.on("message", async (milliseconds: number) => {
    const inputs = Arena.create(4 * floats).floats(floats);
    const started = performance.now();
    let passes = 0;
    for (; performance.now() - started < milliseconds; passes++) {
      await device.ask("logits", { name: "teacher", inputs, count: job.lanes.batch });
    }
    process.send!((passes * job.lanes.batch * 1_000) / (performance.now() - started));
  });
  process.send!({ address: services.address, teacher: "t", dataset: dataset.digest } satisfies Served);
}

async function measure(): Promise<void> {
  const child = fork(fileURLToPath(import.meta.url), ["teacher"], { env: { ...process.env, ...processEnvironment() } });
  const [served] = (await once(child, "message")) as [Served];
  const bare = async (milliseconds: number) => {
    child.send(milliseconds);
    return ((await once(child, "message")) as [number])[0];
  };
  await bare(warmupMs);
  await asked(served, 8, warmupMs);
  const rates: Record<string, number[]> = { bare: [], 1: [], 8: [] };
  for (let round = 0; round < 3; round++) {
    rates.bare!.push(await bare(measuredMs));
    for (const students of [1, 8]) rates[students]!.push((await asked(served, students, measuredMs)).rate);
  }
  const mean = (values: readonly number[]) => values.reduce((sum, each) => sum + each, 0) / values.length;
  const shares = [1, 8].map((students) => [students, round3(mean(rates[students]!) / mean(rates.bare!))]);
  const { p50, p99 } = await asked(served, 8, measuredMs, mean(rates[8]!) / 2);
  const bytes = formats.map((format) => [format.kind, bytesPerExample(format, mnist.classes)]);
  const result = {
    bench: "teacher",
    barePerSecond: Math.round(mean(rates.bare!)),
    shareOfBare: Object.fromEntries(shares),
    atHalfLoadMs: { p50, p99 },
    bytesPerExample: Object.fromEntries(bytes),
  };
  process.stdout.write(`${JSON.stringify(result)}\n`);
  child.disconnect();
}

function round3(value: number): number {
  return Number(value.toFixed(3));
}

/** So many students ask, each for several lanes at a time, or at a rate of examples a second in all. */
async function asked({ address, teacher, dataset }: Served, students: number, milliseconds: number, rate?: number) {
  const signal = new AbortController().signal;
  const format = { kind: "float16" } as const;
  const usual = {
    term: 1,
    field: "teacher",
    format,
    classes: mnist.classes,
    inputs: null,
    deadlineMs: 60_000,
    onNoTeacher: "wait",
    random: Math.random,
  } as const;
  const clients = Array.from(
    { length: students },
    () => new SoftTargetClient({ ...usual, teachers: [{ worker: "teacher-1", address }] }),
  );
  const ledger = {
    seed: job.seed,
    trainExamples: mnist.trainExamples,
    lanes: job.lanes.count,
    laneBatch: job.lanes.batch,
  };
  let [step, lane, examples] = [0, 0, 0];
  const times: number[] = [];
  const next = () => {
    if (lane === job.lanes.count) [step, lane] = [step + 1, 0];
    return laneExamples(ledger, step, lane++);
  };
  const started = performance.now();
  const isOver = () => performance.now() - started >= milliseconds;
  const ask = async (client: SoftTargetClient) => {
    const ids = next();
    const from = performance.now();
    await client.request({ teacher, dataset, examples: ids, view: 0 }, signal);
    times.push(performance.now() - from);
    if (!isOver()) examples += ids.length;
  };
  if (rate === undefined) {
    // As many at a time as students fetch ahead.
    const askers = clients.flatMap((client) => Array.from({ length: Math.max(2, 16 / students) }, () => client));
    await Promise.all(
      askers.map(async (client) => {
        while (!isOver()) await ask(client);
      }),
    );
  } else {
    const everyMs = (job.lanes.batch * 1_000) / rate;
    const under: Promise<void>[] = [];
    for (let count = 0; !isOver(); count++) {
      await setTimeout(Math.max(0, started + count * everyMs - performance.now()));
      under.push(ask(clients[count % students]!));
    }
    await Promise.all(under);
  }
  for (const client of clients) client.close();
  times.sort((one, other) => one - other);
  const at = (share: number) => Number(times[Math.floor(share * (times.length - 1))]!.toFixed(2));
  return { rate: (examples * 1_000) / milliseconds, p50: at(0.5), p99: at(0.99) };
}
