/** Work that a server must answer for: while it is away it is done again, visibly, where the job says to wait (L7). */
import { setTimeout } from "node:timers/promises";
import { LimbeckError } from "../core/errors.ts";
import { serversOf, type TeacherSpec } from "../core/jobteacher.ts";
import type { WorkerContext } from "./context.ts";

/** Between two attempts, each of which waits for the server by itself. */
const napMs = 1_000;

/**
 * Says whom the work waits for while it lasts.
 * @param spec the model it is about; one that asks no server is worked with once
 * @throws what the work throws, `server_away` only where the job says `softTargets.onNoTeacher: fail`, and the signal's reason
 */
export async function patiently<T>(
  { job, status }: Pick<WorkerContext, "job" | "status">,
  spec: TeacherSpec,
  work: () => Promise<T>,
  signal: AbortSignal,
): Promise<T> {
  const servers = serversOf(spec);
  if (servers === "") return await work();
  const { waitingFor, isServerAway } = status;
  status.waitingFor = () => servers;
  try {
    for (;;) {
      try {
        return await work();
      } catch (thrown) {
        if (!isOfAwayServer(thrown) || job.softTargets.onNoTeacher === "fail") throw thrown;
        status.waitingFor = () => thrown.message;
        status.isServerAway = () => true;
      }
      await setTimeout(napMs, undefined, { signal }).catch(() => {});
      signal.throwIfAborted();
    }
  } finally {
    Object.assign(status, { waitingFor, isServerAway });
  }
}

export function isOfAwayServer(thrown: unknown): thrown is LimbeckError {
  return thrown instanceof LimbeckError && thrown.code === "server_away";
}
