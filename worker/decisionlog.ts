/** What a worker's control has decided, and why, for its log. */
import type { ParticipantEffect } from "../core/participant.ts";
import type { Log } from "../proto/telemetry/log.ts";
import type { Membership } from "./membership.ts";

export interface DecidedAt {
  readonly term: number;
  /** Of its replica; 0 where it has none. */
  readonly step: number;
  /** The stage whose models it was last told to write; empty where none. */
  readonly exports: string;
}

export function logDecision(
  log: Log,
  effect: ParticipantEffect<Membership>,
  { term, step, exports: stage }: DecidedAt,
): void {
  const at = { event: effect.kind, term, step };
  switch (effect.kind) {
    case "prepare":
    case "stand-by":
      log.info({ ...at, stage: effect.assigned.plan.stage }, effect.assigned.why);
      return;
    case "stop":
    case "suspect":
      log.info({ ...at, ...("worker" in effect && { worker: effect.worker }) }, effect.why);
      return;
    case "train":
    case "catch-up":
      log.info(at, `all members are ready, the term begins at step ${effect.beginning.step}`);
      return;
    case "follow":
      log.info(at, "it is to join a later term");
      return;
    case "export":
      log.info(at, `all agree on the weights of ${stage}`);
      return;
    case "forget":
      log.warn(at, "the coordinator does not know it any more");
      return;
    case "fail":
      return; // Said by who ends the process.
  }
}
