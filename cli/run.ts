/** `limbeck run`: the whole of a job on this machine, as real processes on loopback. */
import { once } from "node:events";
import { mkdir, readdir } from "node:fs/promises";
import { join, relative, resolve } from "node:path";
import { LimbeckError } from "../core/errors.ts";
import type { ProgressEvent } from "../core/events.ts";
import type { Job } from "../core/job.ts";
import { type CoordinatorClient, connectCoordinator } from "../proto/clients.ts";
import type { EngineChoice } from "../worker/engine/engine.ts";
import { ensureEngine } from "../worker/engine/install.ts";
import { type Child, endChildren, startChild } from "./children.ts";
import { type Endpoint, readJob } from "./coordinator.ts";
import { endedSoon, onDeath } from "./deaths.ts";
import { createDisplay, type Display } from "./display.ts";
import { onInterruption } from "./interruption.ts";

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
  const children: Child[] = [];
  const interruption = onInterruption(children, (line) => display.note(line));
  try {
    await ensureEngine(job.engine, { log: (line) => display.note(line), signal: interruption.asked });
    const coordinator = startCoordinator(file, folder, { overrides, http: options.http });
    children.push(coordinator);
    const { address, http } = await addressOf(coordinator);
    const shown = relative(process.cwd(), folder);
    display.note(`${shown}/  ·  http://${http}/state  ·  http://${http}/metrics`);
    const workers = startWorkers(job, address);
    children.push(...workers);
    const client = connectCoordinator(address);
    interruption.stops(client);
    await watch({ client, coordinator, workers, display, shown }).finally(() => client.close());
  } catch (thrown) {
    throw interruption.killed.aborted ? interruption.killed.reason : thrown;
  } finally {
    display.close();
    for (const name of await endChildren(children, orderlyStopMs)) {
      process.stderr.write(`limbeck: ${name} did not end within ${orderlyStopMs / 1000} s and was killed\n`);
    }
    interruption.end();
  }
}

function startCoordinator(
  file: string,
  folder: string,
  options: { overrides: readonly string[]; http: Endpoint },
): Child {
  const { host, port } = options.http;
  const set = options.overrides.flatMap((override) => ["--set", override]);
  const ports = ["--listen", "127.0.0.1:0", "--http", `${host}:${port}`];
  return startChild("the coordinator", ["coordinator", file, "--out", folder, ...ports, ...set]);
}

function startWorkers({ workers }: Job, coordinator: string): Child[] {
  const start = (role: string) => (_: unknown, index: number) => {
    const name = `${role}-${index + 1}`;
    return startChild(name, ["worker", "--role", role, "--name", name, "--coordinator", coordinator]);
  };
  const students = Array.from({ length: workers.students }, start("student"));
  return [...students, ...Array.from({ length: workers.teachers }, start("teacher"))];
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
    if ((await readdir(folder)).length > 0)
      throw new LimbeckError("usage", `--out ${out ?? folder}: the folder is not empty; choose another or remove it`);
  } catch (cause) {
    if (cause instanceof LimbeckError) throw cause;
    throw new LimbeckError("unavailable", `the run folder ${folder} cannot be made: ${(cause as Error).message}`, {
      cause,
    });
  }
  return folder;
}

/** The coordinator tells its addresses once it listens. */
async function addressOf(coordinator: Child): Promise<{ address: string; http: string }> {
  const signal = AbortSignal.timeout(coordinatorUpMs);
  const told = once(coordinator.process, "message", { signal }).then(
    ([message]) => message as { address: string; http: string },
  );
  const died = coordinator.ended.then(({ how }) => {
    throw new LimbeckError("unavailable", how.replace(/^ended with code \d+: /, ""));
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

interface Watched {
  readonly client: CoordinatorClient;
  readonly coordinator: Child;
  readonly workers: readonly Child[];
  readonly display: Display;
  /** The run's folder, for messages. */
  readonly shown: string;
}

/** Shows events until the job ends. Throws where it did not end well, with what is known of a process that died. */
async function watch({ client, coordinator, workers, display, shown }: Watched): Promise<void> {
  const deaths = onDeath(workers, (why) => client.stop(why));
  let last: ProgressEvent | null = null;
  let lost: Child | undefined;
  try {
    for await (const event of client.watch()) {
      display.show(event);
      if (event.kind === "worker-lost") lost ??= workers.find(({ name }) => name === event.worker);
      last = event;
    }
  } catch (cause) {
    const ended = await endedSoon(coordinator);
    throw new LimbeckError("unavailable", `the coordinator ${ended?.how ?? "went away"}`, { cause });
  } finally {
    deaths.end();
  }
  switch (last?.kind) {
    case "job-finished":
      return;
    case "job-failed": {
      const ended = lost && (await endedSoon(lost));
      throw new LimbeckError(
        last.code,
        ended?.exitCode === 0 || !ended ? last.message : `${last.message}; it ${ended.how}`,
      );
    }
    case "job-stopped":
      throw (
        deaths.reason() ??
        new LimbeckError("stopped", `stopped before the end: ${last.why}; what was done lies in ${shown}`)
      );
    default:
      throw new LimbeckError("unavailable", "the coordinator ended the feed of events before the job");
  }
}
