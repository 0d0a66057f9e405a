/** What is sent to workers. */
import type { ToWorker } from "../proto/gen/limbeck/v1/ToWorker.ts";
import type { Effect } from "./state.ts";

export function send(session: number, message: ToWorker): Effect {
  return { kind: "send", session, message };
}
