/**
 * `npm run schedules:service -- --count 200 [--from K] [--servers 3]`: short jobs of a service, each under one to three
 * random faults, and where it is paused with another behind it; one JSON line; exit 1 where a job ended with other
 * weights than the undisturbed one, or a history is wrong.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Command, Option } from "commander";
import type { Report } from "../../../core/report.ts";
import { openScope } from "../../scope.ts";
import { undisturbed } from "../chaos.ts";
import { drawServiceFaults } from "./faults.ts";
import { serviceJob } from "./job.ts";
import { Service } from "./service.ts";
import type { ServiceStruck } from "./strike.ts";
import { countsOf, tried } from "./trial.ts";

const { count, from, steps, servers } = new Command("schedules:service")
  .option("--count <n>", "schedules", Number, 200)
  .option("--from <n>", "seed of the first", Number, 0)
  .option("--steps <n>", "of the distil stage", Number, 80)
  .addOption(new Option("--servers <n>", "of NATS").choices(["1", "3"]).default("1"))
  .parse()
  .opts<{ count: number; from: number; steps: number; servers: "1" | "3" }>();

function troublesOf(report: Report | null, expected: Report): string[] {
  if (report === null) return ["it did not end"];
  const isEqual = report.student.weightsSha256 === expected.student.weightsSha256;
  const isCounted = report.ledger.duplicated + report.ledger.missing === 0;
  return [...(isEqual ? [] : ["other weights"]), ...(isCounted ? [] : ["miscounted"])];
}

const size = { natsServers: servers === "1" ? 1 : 3, coordinators: 2, students: 3, teachers: 1 } as const;
const spanMs = 5_000;
const deadlineMs = 60_000;
const note = (line: string) => void process.stderr.write(`schedules: ${line}\n`);
const root = mkdtempSync(join(tmpdir(), "limbeck-service-"));
const scope = openScope();
const failed: number[] = [];
const struck: ServiceStruck[] = [];
let [leaders, terms, entries, twice, ofOldLeaders] = [0, 0, 0, 0, 0];

try {
  const job = serviceJob(steps, "lanes.batch=4", "dataset.limit=1000");
  const expected = await undisturbed(join(root, "undisturbed"), job.args);
  let service: Service | null = null;
  for (let seed = from; seed < from + count; seed++) {
    const sinceMs = Date.now();
    service ??= await Service.start(scope, join(root, String(seed)), size);
    const trial = { name: `s${seed}`, yaml: job.yaml, faults: drawServiceFaults(seed, spanMs), deadlineMs };
    const done = await tried(service, trial);
    const troubles = [
      ...done.reports.flatMap((report) => troublesOf(report, expected)),
      ...done.checked.flatMap((each) => [...each.wrong, ...each.twice.map((what) => `decided twice: ${what}`)]),
      ...service.surprises.splice(0),
    ];
    struck.push(...done.struck);
    for (const each of done.checked) {
      leaders += each.leaders;
      terms += each.terms;
      entries += each.entries;
      twice += each.twice.length;
      ofOldLeaders += each.ofOldLeaders;
    }
    const faults = done.struck.map(({ kind, lastsMs }) => `${kind} ${(lastsMs / 1_000).toFixed(1)}`).join(", ");
    const took = ((Date.now() - sinceMs) / 1_000).toFixed(1);
    note(`${seed}: ${troubles.length === 0 ? "right" : `WRONG (${troubles.join("; ")})`}, ${took} s: ${faults}`);
    if (troubles.length === 0) continue;
    failed.push(seed);
    note(`what is left of it lies in ${service.folder}`);
    await service.close();
    service = null;
  }
} finally {
  await scope.close();
}
const passed = count - failed.length;
const counts = { faults: countsOf(struck), leaders, terms, entries, twice, ofOldLeaders };
process.stdout.write(`${JSON.stringify({ schedules: count, passed, failed, ...counts })}\n`);
if (failed.length === 0) rmSync(root, { recursive: true });
process.exit(failed.length === 0 ? 0 : 1);
