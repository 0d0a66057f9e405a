/** `limbeck worker --devices`: one worker process per device, kept alive and stopped in order. */
import { createWriteStream, type WriteStream } from "node:fs";
import { mkdir } from "node:fs/promises";
import { hostname } from "node:os";
import { join, resolve } from "node:path";
import { LimbeckError } from "../core/errors.ts";
import { type Endpoint, hostPort } from "../proto/endpoint.ts";
import { writing } from "../proto/files.ts";
import { type Ended, endChildren, startChild, tellParent } from "./children.ts";
import type { DeviceShare } from "./devices.ts";
import { type CoordinatorPlace, placeAgain } from "./place.ts";
import type { GivenPages } from "./ports.ts";
import { type SharedHealth, serveSharedHealth } from "./sharedhealth.ts";
import { deathNote, isBeyondMending, type Supervised, supervise } from "./supervisor.ts";

export interface SupervisedWorkers extends GivenPages {
  readonly at: CoordinatorPlace;
  readonly role: string;
  readonly name: string | undefined;
  readonly listen: Endpoint;
  readonly advertise?: Endpoint;
  /** How long a worker looks for a coordinator, in milliseconds. */
  readonly patience: number | undefined;
  /** Exit code of one that has found none: it is not started again. */
  readonly aloneCode: number | undefined;
  /** Folder of the workers' logs. */
  readonly state: string | undefined;
  /** Of the workers' logs; undefined: JSON, for they have no terminal. */
  readonly output: string | undefined;
}

/** A worker has 10 s to leave in order. */
const orderlyStopMs = 12_000;

/**
 * Runs until every worker has ended for good. Throws how the first failed, where one did.
 * @returns true where they were told to stop
 */
export async function superviseWorkers(shares: readonly DeviceShare[], options: SupervisedWorkers): Promise<boolean> {
  const { listen, advertise, http, health, state, aloneCode } = options;
  if (shares.length > 1 && (listen.port !== 0 || advertise || http.port !== 0)) {
    const fixed = {
      "--advertise": advertise,
      "--listen": listen.port !== 0,
      "--http": http.port !== 0,
    };
    const [flag] = Object.entries(fixed).find(([, value]) => value)!;
    throw new LimbeckError("usage", `${flag} names one port, and ${shares.length} workers are to start here`);
  }
  const logs = state === undefined ? null : resolve(state);
  if (logs) await writing(logs, () => mkdir(logs, { recursive: true }));
  const shared = await serveSharedHealth(health);
  const workers = shares.map((share) => superviseOne(share, shares.length, { options, logs, shared }));
  const stop = onSignals(workers);
  try {
    const ends = await Promise.all(workers.map(async ({ over, name }) => ({ name, ended: await over })));
    const failed = ends.find(({ ended }) => ended.exitCode !== 0);
    if (failed && !stop.isAsked()) {
      if (failed.ended.exitCode === aloneCode) process.exitCode = aloneCode;
      const error = new LimbeckError(
        failed.ended.failure ?? codeOf(failed.ended),
        `${failed.name} ${failed.ended.how}`,
      );
      await tellParent(error);
      throw error;
    }
    return stop.isAsked();
  } finally {
    stop.end();
    shared.close();
    if (process.connected) process.disconnect();
  }
}

function codeOf({ exitCode }: Ended): "usage" | "lost_worker" {
  return exitCode === 2 ? "usage" : "lost_worker";
}

function superviseOne(
  { label, env }: DeviceShare,
  count: number,
  { options, logs, shared }: { options: SupervisedWorkers; logs: string | null; shared: SharedHealth },
): Supervised {
  const { at, role, listen, advertise, http, httpTokenFile, patience, aloneCode, output } = options;
  // The same in every life: the id is the supervisor's.
  const own = options.name ?? `${hostname()}-${label}-${process.pid}`;
  const name = options.name !== undefined && count > 1 ? `${own}-${label}` : own;
  const where = placeAgain(at);
  const args = ["worker", ...where.args, "--role", role, "--name", name];
  args.push("--listen", endpoint(listen), "--http", endpoint(http));
  if (advertise) args.push("--advertise", endpoint(advertise));
  if (httpTokenFile !== undefined) args.push("--http-token-file", httpTokenFile);
  if (patience !== undefined) args.push("--patience", `${patience / 1000}s`);
  if (aloneCode !== undefined) args.push("--alone-code", String(aloneCode));
  if (output) args.push("--output", output);
  const log = logs === null ? null : createWriteStream(join(logs, `${name.replaceAll("/", "_")}.log`), { flags: "a" });
  log?.on("error", () => {}); // A log that cannot be written stops no work; its folder was writable.
  const hear = (text: string) => said(name, text, log);
  // Whole lines, which say themselves whose they are.
  const hearLog = (text: string) => {
    process.stdout.write(text);
    log?.write(text);
  };
  const note = (line: string) => said(name, `${line}\n`, log);
  const start = (life: number) => {
    const child = startChild(name, args, {
      env: { ...env, ...where.env },
      ...{ hear, hearLog, hearServing: shared.hear(name) },
    });
    note(`supervisor: process ${child.process.pid} started, life ${life}`);
    return child;
  };
  const onDeath = (ended: Ended, waitMs: number) => {
    note(`supervisor: ${deathNote(name, ended, waitMs)}`);
    return true;
  };
  const isFinal = (ended: Ended) => isBeyondMending(ended) || (aloneCode !== undefined && ended.exitCode === aloneCode);
  const worker = supervise(name, start, { onDeath, isFinal });
  void worker.over.then(({ how }) => note(`supervisor: ${name} ${how}`));
  return worker;
}

function endpoint({ host, port }: Endpoint): string {
  return hostPort(host, port);
}

/** To stderr and the log, each line with its worker's name and the time. */
function said(name: string, text: string, log: WriteStream | null): void {
  for (const line of text.split("\n").filter((each) => each.trim() !== "")) {
    process.stderr.write(`${name}: ${line}\n`);
    log?.write(`${new Date().toISOString()} ${line}\n`);
  }
}

/** The first signal lets the workers leave in order, the second kills them. */
function onSignals(workers: readonly Supervised[]): { isAsked(): boolean; end(): void } {
  let isAsked = false;
  const stop = () => {
    if (isAsked) {
      for (const { child } of workers) child.process.kill("SIGKILL");
      return;
    }
    isAsked = true;
    for (const worker of workers) worker.retire();
    void endChildren(
      workers.map(({ child }) => child),
      orderlyStopMs,
    );
  };
  process.on("SIGTERM", stop).on("SIGINT", stop).once("disconnect", stop);
  return {
    isAsked: () => isAsked,
    end: () => void process.off("SIGTERM", stop).off("SIGINT", stop).off("disconnect", stop),
  };
}
