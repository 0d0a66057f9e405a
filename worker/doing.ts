/** L7. What a worker does and waits for between two pieces of work, in words. A piece of work tells its own. */
import type { Participant, ParticipantEvent } from "../core/participant.ts";
import { nothing, type Status } from "./context.ts";
import type { Membership } from "./membership.ts";

export interface Happened {
  /** What led to the state. */
  readonly event: ParticipantEvent<Membership>;
  /** Of its teacher, what that does; null where it has none. */
  readonly teaching: string | null;
}

export function describe(status: Status, { term, work }: Participant<Membership>, { event, teaching }: Happened): void {
  switch (work.kind) {
    case "none":
      status.doing = event.kind === "paused" ? `paused: ${event.why}` : "waiting for work";
      status.waitingFor = nothing;
      return;
    case "ready":
      status.doing = teaching ?? "waiting for the others";
      status.waitingFor = nothing;
      return;
    case "serving":
      status.doing = teaching!;
      status.waitingFor = nothing;
      return;
    case "stalled":
      status.doing = `waiting for the term after ${term}`;
      status.waitingFor = () => `the next term: ${work.why}`;
      return;
    case "catching-up":
      status.doing = `catching up to step ${work.beginning.step}`;
      return;
    case "stopping":
    case "preparing":
    case "training":
    case "following":
    case "finished":
    case "exporting":
      return;
  }
}
