/** `limbeck doctor`: what computes here, why that, and how fast; of a job, whether it would train what it says. */
import { dirname, resolve } from "node:path";
import { examineNats } from "../coordinator/nats/examination.ts";
import { LimbeckError } from "../core/errors.ts";
import { diagnosis } from "../core/lines.ts";
import { checkCluster, natsUser } from "../proto/cluster.ts";
import { checkUp } from "../worker/doctor/checkup.ts";
import { doctor as examine } from "../worker/engine/doctor.ts";
import type { EngineChoice } from "../worker/engine/engine.ts";
import { openSolo } from "../worker/solo.ts";
import { hasProcessEnvironment, runAgain } from "./children.ts";
import { readJob } from "./coordinator.ts";
import type { OutputFormat } from "./display.ts";
import { newTable } from "./table.ts";

export interface DoctorOptions {
  /** URLs of NATS servers: they are examined, and nothing else. */
  readonly nats?: readonly string[];
  readonly natsCreds?: string;
  readonly natsCa?: string;
  readonly cluster: string;
  readonly engine?: EngineChoice;
  readonly threads?: number;
  readonly set: readonly string[];
  readonly output: OutputFormat;
}

/** Who asks wants to know now. */
const examineMs = 3_000;

export async function doctor(file: string | undefined, options: DoctorOptions): Promise<void> {
  if (options.nats) await examineServers(file, options.nats, options);
  else if (file === undefined) await examineEngine(options);
  else if (hasProcessEnvironment()) await examineJob(file, options);
  else process.exitCode = await runAgain();
}

async function examineEngine({ engine = "auto", threads = 1, output }: DoctorOptions): Promise<void> {
  const report = await examine({ choice: engine, threads, log: (line) => process.stderr.write(`${line}\n`) });
  if (output === "json") {
    process.stdout.write(`${JSON.stringify(report)}\n`);
    return;
  }
  const table = newTable();
  for (const [name, value] of Object.entries(report)) table.push([name, String(value)]);
  process.stdout.write(`${table.toString()}\n`);
}

/** Exit code 1 where it cannot be the store of coordinators. */
async function examineServers(
  file: string | undefined,
  urls: readonly string[],
  { natsCreds, natsCa: ca, cluster, output }: DoctorOptions,
): Promise<void> {
  if (file !== undefined) throw new LimbeckError("usage", "a job and --nats are examined by a command each");
  const options = { urls, user: natsUser(), credentials: natsCreds, ca, name: "limbeck doctor", deadlineMs: examineMs };
  const findings = await examineNats(options, checkCluster(cluster));
  if (findings.some(({ severity }) => severity === "error")) process.exitCode = 1;
  const lines = findings.map(({ check, severity, text }) => `doctor: ${check}: ${severity}, ${text}`).join("\n");
  process.stdout.write(output === "json" ? `${JSON.stringify(findings)}\n` : `${lines}\n`);
}

/** Exit code 1 where a check refuses the job. */
async function examineJob(file: string, { engine, threads, set, output }: DoctorOptions): Promise<void> {
  const given = Object.entries({ engine, threads }).flatMap(([path, value]) => (value ? [`${path}=${value}`] : []));
  // Who asks wants to know now.
  const job = await readJob(file, [...set, ...given, "softTargets.onNoTeacher=fail"]);
  const jobFolder = dirname(resolve(file));
  const solo = await openSolo(job, jobFolder, jobFolder);
  try {
    const findings = await checkUp(solo.context, new AbortController().signal);
    if (findings.some(({ severity }) => severity === "refusal")) process.exitCode = 1;
    process.stdout.write(output === "json" ? `${JSON.stringify(findings)}\n` : `${diagnosis(findings)}\n`);
  } finally {
    await solo.close();
  }
}
