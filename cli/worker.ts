/** `limbeck worker`: one worker as a process of its own, or a supervisor with one per device. */
import { hostname } from "node:os";
import { LimbeckError } from "../core/errors.ts";
import type { Endpoint } from "../proto/endpoint.ts";
import type { Serves } from "../proto/health.ts";
import { openLog } from "../proto/telemetry/log.ts";
import { patienceMs } from "../proto/whereabouts.ts";
import { runWorker } from "../worker/main.ts";
import { NobodyAnswers } from "../worker/session.ts";
import { againCode, hasProcessEnvironment, runAgain, tellParent, tellServing } from "./children.ts";
import { deviceShares } from "./devices.ts";
import type { OutputFormat } from "./display.ts";
import { type CoordinatorPlace, type OpenPlace, openPlace } from "./place.ts";
import { type GivenPages, type OpenPages, openPages, toldOfNats } from "./ports.ts";
import { superviseWorkers } from "./workers.ts";

export interface WorkerOptions extends GivenPages {
  readonly at: CoordinatorPlace;
  readonly role: string;
  readonly name?: string;
  readonly devices?: string;
  readonly listen: Endpoint;
  readonly advertise?: Endpoint;
  readonly state?: string;
  /** Exit code of one that was told to leave, instead of 0. */
  readonly leaveCode?: number;
  /** How long it looks for a coordinator, in milliseconds. */
  readonly patience?: number;
  /** Exit code of one that has found none. */
  readonly aloneCode?: number;
  readonly output?: OutputFormat;
}

type RunWorkerOptions = Parameters<typeof runWorker>[0];

export async function worker({
  role,
  name,
  devices,
  state,
  leaveCode,
  patience,
  aloneCode,
  output,
  ...options
}: WorkerOptions): Promise<void> {
  if (role !== "student" && role !== "teacher" && role !== "auto") {
    throw new LimbeckError("usage", `--role must be student, teacher or auto, found ${role}`);
  }
  if (aloneCode === 1 || aloneCode === againCode) {
    const taken = aloneCode === 1 ? "any other failure" : "a worker that joins again at once";
    throw new LimbeckError("usage", `--alone-code ${aloneCode} is the code of ${taken}: choose another, such as 3`);
  }
  if (devices !== undefined || state !== undefined) {
    const isTold = await superviseWorkers(deviceShares(devices), {
      ...{ role, name, state, output, patience, aloneCode },
      ...options,
    });
    if (isTold) process.exitCode = leaveCode;
    return;
  }
  if (!hasProcessEnvironment()) {
    process.exitCode = await runAgain(leaveCode);
    return;
  }
  const leaving = new AbortController();
  const leave = (why: string) => leaving.abort(new LimbeckError("stopped", why));
  process.once("SIGTERM", () => leave("SIGTERM"));
  process.once("SIGINT", () => leave("SIGINT"));
  process.once("disconnect", () => leave("the process that started this worker has gone"));
  const own = name ?? `${hostname()}-${deviceShares(undefined)[0]!.label}-${process.pid}`;
  const { at, httpTokenFile: _, health: __, ...listening } = options;
  const log = openLog(own, { output });
  let whereabouts: OpenPlace | null = null;
  let pages: OpenPages | null = null;
  try {
    pages = await openPages(options, log);
    const { access, health } = pages;
    const nats = { name: own, deadlineMs: patienceMs, told: toldOfNats(log) };
    whereabouts = await openPlace(at, nats, (level, why) => log[level]({ event: "security" }, why));
    const serving = (serves: Serves) => {
      health?.set(serves);
      void tellServing(serves);
    };
    const told = { access, health: serving };
    const given = { ...listening, coordinator: whereabouts, role, name: own, log, ...told, patienceMs: patience };
    const isWanted = await runWorker(given as RunWorkerOptions, leaving.signal);
    if (isWanted) process.exitCode = againCode;
    if (leaveCode !== undefined && leaving.signal.aborted) process.exitCode = leaveCode;
  } catch (thrown) {
    if (thrown instanceof NobodyAnswers) process.exitCode = aloneCode;
    await tellParent(thrown);
    throw thrown;
  } finally {
    await whereabouts?.close();
    pages?.close();
    // Who listens for the parent's end keeps the process alive.
    if (process.connected) process.disconnect();
  }
}
