/** What is sent to workers. */
import type { ToWorker } from "../proto/gen/limbeck/v1/ToWorker.ts";
import type { Begun } from "./journalrecord.ts";
import type { Course, Effect, Plan, Worker } from "./state.ts";

export function send(session: number, message: ToWorker): Effect {
  return { kind: "send", session, message };
}

/** @param back `rejoined`: the worker's term goes on; it tells again what may have been lost of it */
export function greeting(
  { id, job, jobFolder, runFolder, depot, heartbeatMs, sources }: Plan,
  { session, role }: Pick<Worker, "session" | "role">,
  { term, rejoined }: { term: number; rejoined: boolean },
): Effect {
  const { url = "", folder = "" } = depot ?? {};
  const folders = { jobFolder, runFolder, depot: url, depotFolder: folder, sources: [...sources] };
  const body = { jobId: id, job: JSON.stringify(job), ...folders, heartbeatMs, role, rejoined };
  return send(session, { term, welcome: body, body: "welcome" });
}

/** To every member, students and teachers alike. */
export function beginOrders(
  members: readonly Worker[],
  { term, course }: { readonly term: number; readonly course: Course },
  begun: Begun,
): Effect[] {
  const { step, sources, sumSources, evaluate, uncacheable } = begun;
  const softTargets = { teacherEngine: course.fingerprints.teacher, uncacheable };
  const begin = { step, sources: [...sources], sumSources: [...sumSources], evaluate, ...softTargets };
  return members.map(({ session }) => send(session, { term, begin, body: "begin" }));
}
