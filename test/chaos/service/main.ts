/**
 * `npm run chaos:service -- [--kills 20] [--span 60] [--no-others] [--servers 3] [--steps N]`: a long job of a service, and
 * fault after fault, each followed by as long a time in which nothing is done. One JSON line; exit 1 where it was not right.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Command, Option } from "commander";
import { openScope } from "../../scope.ts";
import { pace, undisturbed, until } from "../chaos.ts";
import { measure } from "../measure.ts";
import type { ServiceFault, ServiceFaultKind } from "./faults.ts";
import { serviceJob } from "./job.ts";
import { costOf, type Span, slowIn } from "./measure.ts";
import { Service } from "./service.ts";
import { type ServiceStruck, strikeService } from "./strike.ts";
import { countsOf, history } from "./trial.ts";

const options = new Command("chaos:service")
  .option("--kills <n>", "deaths of a leader", Number, 20)
  .option("--span <seconds>", "over which a fault is felt, and then nothing is done", Number, 60)
  .option("--no-others", "no faults but these deaths")
  .addOption(new Option("--servers <n>", "of NATS").choices(["1", "3"]).default("1"))
  .option("--coordinators <n>", "of which one leads", Number, 2)
  .option("--steps <n>", "of the distil stage, instead of as many as fit", Number)
  .parse()
  .opts<{
    kills: number;
    span: number;
    others: boolean;
    servers: "1" | "3";
    coordinators: number;
    steps?: number;
  }>();

const calibrationSteps = 1_200;
const settleMs = 10_000;
const deadlineMs = 120_000;
const note = (line: string) => void process.stderr.write(`chaos: ${line}\n`);
const folder = mkdtempSync(join(tmpdir(), "limbeck-service-"));

/** The long ones last longer than whatever waits for them. One of three servers is none of one. */
const otherFaults: readonly (readonly [ServiceFaultKind, number])[] = [
  ["stop-leader", 30_000],
  ["kill-nats", 1_000],
  ["kill-nats", 60_000],
  ["stop-nats", 10_000],
  ["kill-one-nats", 10_000],
  ["kill-standby", 1_000],
  ["kill-leader-and-worker", 1_000],
];

const { kills, span, others, servers, coordinators } = options;
const spanMs = span * 1_000;
const faults: ServiceFault[] = [
  ...Array.from({ length: kills }, () => ["kill-leader", 1_000] as const),
  ...(others ? otherFaults.filter(([kind]) => kind !== "kill-one-nats" || servers === "3") : []),
].map(([kind, lastsMs], at) => ({ kind, lastsMs, atMs: 0, target: (at * 0.37) % 1 }));
const feltMs = ({ lastsMs }: ServiceFault) => Math.max(spanMs, lastsMs + settleMs);
const wholeMs = settleMs + faults.reduce((sum, fault) => sum + feltMs(fault) + spanMs, 0);

async function fitting(): Promise<number> {
  const perSecond = await pace(join(folder, "calibration"), serviceJob(calibrationSteps).args, 3);
  return Math.max(calibrationSteps, Math.round((wholeMs / 1_000) * perSecond));
}

const steps = options.steps ?? (await fitting());
const job = serviceJob(steps);
note(`${steps} steps, ${faults.length} faults in ${Math.round(wholeMs / 60_000)} minutes, in ${folder}`);
const scope = openScope();
let isRight = false;
try {
  const size = { natsServers: servers === "1" ? 1 : 3, coordinators, students: 3, teachers: 1 } as const;
  const service = await Service.start(scope, join(folder, "run"), size);
  const id = await service.submit("chaos", job.yaml, deadlineMs);
  const isDistilling = () => service.events(id).some((event) => event.kind === "stepped" && event.stage === "distil");
  await until(isDistilling, deadlineMs);
  await sleep(settleMs);
  const spans: Span[] = [];
  for (const fault of faults) {
    if (service.report(id)) break;
    const startedMs = Date.now();
    let struck: ServiceStruck | null = null;
    const undone = strikeService(service, { fault, job: id }, (done) => {
      struck = done;
      note(`${done.kind}, for ${done.lastsMs / 1_000} s`);
    });
    await Promise.all([undone, sleep(feltMs(fault))]);
    const untilMs = Date.now();
    await sleep(spanMs);
    if (struck === null) note(`nobody was there for ${fault.kind} after ${untilMs - startedMs} ms`);
    else if (!service.report(id)) spans.push({ struck, untilMs, quietUntilMs: Date.now() });
  }
  if (spans.length < faults.length) note(`the job had ended before fault ${spans.length + 1}: give --steps`);
  note(`until now: ${JSON.stringify(costOf(service.events(id), service.coordinators.records(), spans))}`);
  await until(() => service.report(id) !== null, wholeMs + deadlineMs);
  const report = service.report(id);
  const events = service.events(id);
  const { wrong, twice, ofOldLeaders, leaders, terms, entries } = await history(service, id);
  const { stepsLost, stalled } = measure(events, []);
  const surprises = [...service.surprises];
  await scope.close();
  note("and now the same job undisturbed, for its hash");
  const expected = await undisturbed(join(folder, "undisturbed"), job.args);
  const cost = costOf(events, service.coordinators.records(), spans);
  const result = {
    faults: countsOf(spans.map(({ struck }) => struck)),
    ...cost,
    slow: slowIn(cost),
    isFinished: report !== null,
    hashEqual: report?.student.weightsSha256 === expected.student.weightsSha256,
    duplicated: report?.ledger.duplicated ?? null,
    missing: report?.ledger.missing ?? null,
    ...{ stepsLost, stalled, leaders, terms, entries, twice, ofOldLeaders, wrong },
    surprises,
  };
  process.stdout.write(`${JSON.stringify({ service: "chaos.yaml", servers, coordinators, span, steps, ...result })}\n`);
  const { hashEqual, duplicated, missing, notFollowed, slow } = result;
  const troubles = notFollowed + slow.length + wrong.length + twice.length + surprises.length;
  // A leader's end, or that of NATS, is no end of a worker: all steps go on.
  const isKept = stepsLost === 0 || spans.some(({ struck }) => struck.kind.endsWith("-worker"));
  isRight = hashEqual && isKept && duplicated === 0 && missing === 0 && troubles === 0;
} finally {
  await scope.close();
}
if (isRight) rmSync(folder, { recursive: true });
else note(`what is left of it lies in ${folder}`);
process.exit(isRight ? 0 : 1);
