/** What is attacked: a job of its own, a service with a job, and a service by mTLS; each of real processes. */
import { readFileSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { Report } from "../../../core/report.ts";
import { packagePath } from "../../../proto/package.ts";
import { openSecurity } from "../../../proto/security/security.ts";
import { chaosJob, until } from "../../chaos/chaos.ts";
import { eventsIn, reportIn } from "../../chaos/cluster.ts";
import { start, waiting } from "../../e2e/limbeck.ts";
import { freeAddress } from "../../freeport.ts";
import { authority, cluster, leaf } from "../../security/cluster.ts";
import { healthz, list, pull, status } from "./asks.ts";
import type { Shown } from "./attacker.ts";
import { type IsLegal, legalOf } from "./legal.ts";
import type { Served } from "./methods.ts";
import { Processes } from "./processes.ts";
import type { Known } from "./samples.ts";

/** A port that is attacked. */
export interface Door {
  readonly name: string;
  readonly address: string;
  readonly serves: Served;
  readonly shown: Shown;
  readonly known: Known;
  readonly isLegal: IsLegal;
  /** Methods, by name, that whoever comes by this door may not call. */
  readonly forbidden: readonly string[];
}

export interface Target {
  readonly processes: Processes;
  readonly doors: readonly Door[];
  readonly asks: Readonly<Record<string, () => Promise<unknown>>>;
  /** What is to go on under attack has come to its end. */
  isOver(): boolean;
  /** After the attack. @returns what is wrong */
  finish(): Promise<readonly string[]>;
}

export interface Setting {
  /** Empty; goes with the run. */
  readonly folder: string;
  /** Steps of the job: it must last longer than the attack. */
  readonly steps: number;
  /** The job, undisturbed. */
  readonly expected: Report;
}

const startMs = 120_000;
/** Of a lane's pass, which is a wait: the job lasts, and leaves the processors to the attack. */
const passMs = 40;
/** More than it can take with eight lanes in a step. */
export const stepsPerSecond = 3.5;
const finishMs = 180_000;

export function fuzzJob(steps: number): string[] {
  return chaosJob(steps, [`student=${waiting}`, "workers.teachers=1", "softTargets.cache=false"]);
}

const yaml = readFileSync(packagePath("test/chaos/chaos.yaml"), "utf8");

/** A student and a teacher. @returns their addresses, by name */
async function joinWorkers(processes: Processes, coordinator: string): Promise<ReadonlyMap<string, string>> {
  const workers = new Map<string, string>();
  for (const role of ["student", "teacher"]) {
    const [name, address] = [`${role}-1`, await freeAddress()];
    const given = ["--role", role, "--name", name, "--coordinator", coordinator, "--listen", address];
    processes.start(name, ["worker", ...given, "-o", "json"], { LIMBECK_TEST_PASS_MS: String(passMs) });
    workers.set(name, address);
  }
  return workers;
}

export async function oneJob({ folder, steps, expected }: Setting): Promise<Target> {
  const processes = new Processes();
  const [address, http, run] = [await freeAddress(), await freeAddress(), join(folder, "run")];
  const ports = ["--listen", address, "--http", http, "--state", run, "-o", "json"];
  processes.start("coordinator", ["coordinator", ...fuzzJob(steps), ...ports]);
  const workers = await joinWorkers(processes, address);
  await begun(processes, run);
  const { term } = await status(address);
  const doors = doorsTo({ name: "coordinator", address, serves: "coordinator", job: "", term }, workers, expected);
  const asks = { status: () => status(address), healthz: () => healthz(http), ...pulls(workers) };
  return { processes, doors, asks, ...ending(processes, run, expected) };
}

export async function service({ folder, steps, expected }: Setting): Promise<Target> {
  const processes = new Processes();
  const [address, http, state] = [await freeAddress(), await freeAddress(), join(folder, "state")];
  const ports = ["--listen", address, "--http", http, "--state", state, "-o", "json"];
  processes.start("coordinator", ["coordinator", ...ports]);
  const workers = await joinWorkers(processes, address);
  await leads(processes);
  const submitting = start(["submit", ...fuzzJob(steps), "--no-wait", "-o", "json", "--coordinator", address]);
  const { stdout, stderr } = await submitting.outcome;
  if (stdout === "") throw new Error(`the job was not taken: ${stderr}`);
  const { id: job } = JSON.parse(stdout) as { readonly id: string };
  const run = join(state, "jobs", job);
  await begun(processes, run);
  const { term } = await status(address, job);
  const doors = doorsTo({ name: "service", address, serves: "service", job, term }, workers, expected);
  const asks = { list: () => list(address), status: () => status(address, job), healthz: () => healthz(http) };
  return { processes, doors, asks: { ...asks, ...pulls(workers) }, ...ending(processes, run, expected) };
}

/** Strangers, and who may do little: nobody of them may change anything. */
export async function secured({ folder, expected }: Setting): Promise<Target> {
  const processes = new Processes();
  const [address, http] = [await freeAddress(), await freeAddress()];
  const certificates = join(folder, "certificates");
  await mkdir(certificates, { recursive: true });
  const ca = await authority(certificates);
  const of = (name: "coordinator" | "worker" | "viewer") => leaf(ca, name, { roles: [name] });
  const [own, worker, viewer] = [await of("coordinator"), await of("worker"), await of("viewer")];
  const { files } = own;
  const tls = ["--tls-ca", files.ca, "--tls-cert", files.cert, "--tls-key", files.key];
  const ports = ["--listen", address, "--http", http, "--state", join(folder, "secured"), "-o", "json"];
  processes.start("coordinator", ["coordinator", ...ports, ...tls]);
  await leads(processes);
  const security = openSecurity({ tls: viewer.files, insecure: false, cluster }, () => {});
  const known: Known = { job: "", term: 1, digest: expected.dataset.digest, yaml };
  const door = { address, serves: "service", known, isLegal: () => false } as const;
  const shown = { ca: ca.pem.certificate, cert: worker.pem.certificate, key: worker.pem.key };
  const forbidden = ["Coordinator.Stop", "Coordinator.Watch", "Coordinator.Status", "Jobs.Submit", "Jobs.List"];
  forbidden.push("Jobs.Control", "Jobs.Artifacts", "Jobs.Fetch");
  const listed = () => list(address, { security });
  return {
    processes,
    doors: [
      { ...door, name: "stranger", shown: {}, forbidden: [...forbidden, "Coordinator.Join"] },
      { ...door, name: "worker's certificate", shown, forbidden },
    ],
    asks: { list: listed, healthz: () => healthz(http) },
    isOver: () => false,
    async finish() {
      const jobs = await listed();
      security.close();
      await processes.close();
      return jobs.length === 0 ? [] : [`${jobs.length} jobs were taken of who may not submit any`];
    },
  };
}

function doorsTo(
  { name, address, serves, job, term }: Pick<Door, "name" | "address" | "serves"> & { job: string; term: number },
  workers: ReadonlyMap<string, string>,
  { dataset }: Report,
): Door[] {
  const known: Known = { job, term, digest: dataset.digest, yaml };
  const door = { shown: undefined, known, isLegal: legalOf(job, [...workers.keys()]), forbidden: [] };
  const others = [...workers].map(([name, address]) => ({ ...door, name, address, serves: "worker" as const }));
  return [{ ...door, name, address, serves }, ...others];
}

function pulls(workers: ReadonlyMap<string, string>): Target["asks"] {
  return Object.fromEntries([...workers].map(([name, address]) => [`pull from ${name}`, () => pull(address)]));
}

async function leads(processes: Processes): Promise<void> {
  const isUp = await until(() => /"event":"leading"/.test(processes.said("coordinator")), startMs);
  if (!isUp) throw new Error(`no service came up: ${processes.said("coordinator")}`);
}

/** Its student trains, with soft targets. */
async function begun(processes: Processes, run: string): Promise<void> {
  const isStepping = () => eventsIn(run).some((event) => event.kind === "stepped" && event.stage === "distil");
  if (await until(isStepping, startMs)) return;
  const said = ["coordinator", "student-1", "teacher-1"].map(
    (name) => `${name}: ${processes.said(name).slice(-2_000)}`,
  );
  await processes.close();
  throw new Error(`no step came in ${startMs / 1_000} s: ${said.join("\n")}`);
}

function ending(processes: Processes, run: string, expected: Report): Pick<Target, "isOver" | "finish"> {
  return { isOver: () => reportIn(run) !== null, finish: () => finished(processes, run, expected) };
}

async function finished(processes: Processes, run: string, expected: Report): Promise<string[]> {
  const isGone = () => !processes.isAlive("coordinator");
  const isDone = await until(() => reportIn(run) !== null || isGone(), finishMs);
  const report = reportIn(run);
  await processes.close();
  const wrong: string[] = [];
  if (!isDone || !report) return [`the job did not finish: ${JSON.stringify(eventsIn(run).slice(-5))}`];
  if (report.student.weightsSha256 !== expected.student.weightsSha256) wrong.push("the student has other weights");
  if (report.teacher.weightsSha256 !== expected.teacher.weightsSha256) wrong.push("the teacher has other weights");
  return wrong;
}
