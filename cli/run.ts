/** `limbeck run`: the whole of a job on this machine, as real processes on loopback. */
import { once } from "node:events";
import { mkdir, readdir } from "node:fs/promises";
import { join, relative, resolve } from "node:path";
import type { ProgressEvent } from "../core/events.ts";
import { LimbeckError } from "../core/errors.ts";
import type { Job } from "../core/job.ts";
import { connectCoordinator, type CoordinatorClient } from "../proto/clients.ts";
import type { EngineChoice } from "../worker/engine/engine.ts";
import { ensureEngine } from "../worker/engine/install.ts";
import { type Child, endChild, startChild } from "./children.ts";
import { type Endpoint, readJob } from "./coordinator.ts";
import { createDisplay, type Display } from "./display.ts";

export interface RunOptions {
  readonly out?: string;
  readonly students?: number;
  readonly teachers?: number;
  readonly set: readonly string[];
  readonly engine?: EngineChoice;
  readonly http: Endpoint;
  readonly json?: boolean;
  readonly quiet?: boolean;
}

const coordinatorUpMs = 20_000;
const orderlyStopMs = 20_000;

export async function run(file: string, options: RunOptions): Promise<void> {
  const overrides = overridesOf(options);
  const job = await readJob(file, overrides);
  const folder = await runFolder(job, options.out);
  const display = createDisplay(options);
  await ensureEngine(job.engine, { log: (line) => display.note(line) });

  const children: Child[] = [];
  const startCoordinator = () => {
    const set = overrides.flatMap((override) => ["--set", override]);
    return startChild("coordinator", ["coordinator", file, "--out", folder, "--listen", "127.0.0.1:0", "--http", `${options.http.host}:${options.http.port}`, ...set]);
  };
  const startWorker = (role: "student" | "teacher", index: number, address: string) => {
    const name = `${role}-${index + 1}`;
    return startChild(name, ["worker", "--role", role, "--name", name, "--coordinator", address]);
  };

  try {
    const coordinator = startCoordinator();
    children.push(coordinator);
    const { address, http } = await addressOf(coordinator);
    display.note(`${relative(process.cwd(), folder)}/  ·  http://${http}/state  ·  http://${http}/metrics`);
    for (let index = 0; index < job.workers.students; index++) children.push(startWorker("student", index, address));
    for (let index = 0; index < job.workers.teachers; index++) children.push(startWorker("teacher", index, address));
    const client = connectCoordinator(address);
    const removeSignals = stopOnSignals(client, display, children);
    const last = await watch(client, children, display);
    removeSignals();
    client.close();
    conclude(last, folder);
  } finally {
    display.close();
    await Promise.all(children.map((child) => endChild(child, orderlyStopMs)));
  }
}

/** The command line's changes to the job, in the form `--set` has. */
function overridesOf({ students, teachers, engine, set }: RunOptions): readonly string[] {
  const named = { "workers.students": students, "workers.teachers": teachers, engine };
  const given = Object.entries(named).flatMap(([path, value]) => (value === undefined ? [] : [`${path}=${value}`]));
  return [...set, ...given];
}

/** Makes the folder of the results. A folder that holds files is refused: nothing of another run is overwritten. */
async function runFolder(job: Job, out: string | undefined): Promise<string> {
  const time = new Date().toISOString().slice(0, 19).replace(/[:T]/g, "-");
  const folder = resolve(out ?? join("runs", `${job.name}-${time}`));
  try {
    await mkdir(folder, { recursive: true });
    if ((await readdir(folder)).length > 0) throw new LimbeckError("usage", `--out ${out ?? folder}: the folder is not empty; choose another or remove it`);
  } catch (cause) {
    if (cause instanceof LimbeckError) throw cause;
    throw new LimbeckError("unavailable", `the run folder ${folder} cannot be made: ${(cause as Error).message}`, { cause });
  }
  return folder;
}

/** The coordinator tells its addresses once it listens. */
async function addressOf(coordinator: Child): Promise<{ address: string; http: string }> {
  const signal = AbortSignal.timeout(coordinatorUpMs);
  const told = once(coordinator.process, "message", { signal }).then(([message]) => message as { address: string; http: string });
  const died = once(coordinator.process, "exit", { signal }).then(() => {
    throw new LimbeckError("unavailable", coordinator.lastWords().replace(/^limbeck: /, "") || "the coordinator died without a word");
  });
  try {
    return await Promise.race([told, died]);
  } catch (cause) {
    if (cause instanceof LimbeckError) throw cause;
    throw new LimbeckError("timeout", `the coordinator was not up after ${coordinatorUpMs / 1000} s`, { cause });
  } finally {
    died.catch(() => {});
    told.catch(() => {});
  }
}

/** Shows events until the job ends. A coordinator that dies ends the wait with its last words. */
async function watch(client: CoordinatorClient, children: readonly Child[], display: Display): Promise<ProgressEvent> {
  let last: ProgressEvent | null = null;
  const coordinator = children[0]!;
  try {
    for await (const event of client.watch()) {
      display.show(event);
      last = event;
    }
  } catch (cause) {
    const words = coordinator.lastWords();
    throw new LimbeckError("unavailable", `the coordinator went away${words ? `: ${words}` : ""}`, { cause });
  }
  if (last === null) throw new LimbeckError("internal", "the job ended without an event");
  return last;
}

/** Ctrl-C once asks for an orderly stop; a second time kills. */
function stopOnSignals(client: CoordinatorClient, display: Display, children: readonly Child[]): () => void {
  let asked = false;
  const onSignal = (signal: NodeJS.Signals) => {
    if (asked) for (const child of children) child.process.kill("SIGKILL");
    asked = true;
    display.note("stopping; once more kills");
    client.stop(`stopped by ${signal}`).catch(() => {});
  };
  process.on("SIGINT", onSignal);
  process.on("SIGTERM", onSignal);
  return () => {
    process.off("SIGINT", onSignal);
    process.off("SIGTERM", onSignal);
  };
}

function conclude(last: ProgressEvent, folder: string): void {
  switch (last.kind) {
    case "job-finished":
      return;
    case "job-failed":
      throw new LimbeckError(last.code, last.message);
    case "job-stopped":
      throw new LimbeckError("stopped", `stopped before the end: ${last.why}; what was done lies in ${relative(process.cwd(), folder)}`);
    default:
      throw new LimbeckError("unavailable", "the coordinator went away before the job ended");
  }
}
