/**
 * Takes what a job has out of the streams. Only what was there while this process led, by the server's word: it looks
 * what is last, then who has the lease, then purges up to there. So one that stood still meanwhile takes nothing from a
 * job that has begun again under another.
 */
import { asLimbeckError, LimbeckError } from "../../core/errors.ts";
import type { Nats } from "../../proto/nats.ts";
import { isOutage, natsFailure } from "../../proto/natserrors.ts";
import { lastOf, type Outgoing, pause } from "./publish.ts";

export interface ForgetOptions {
  readonly job: string;
  /** Of messages; subjects with wildcards or without. */
  readonly places: readonly Pick<Outgoing, "stream" | "subject">[];
  /** Ends it: another leads. */
  readonly signal: AbortSignal;
  /** Whether the lease's key says that this process leads. */
  confirmed(): Promise<boolean>;
  warn(why: string): void;
}

const answerMs = 2_000;
/** L7. Decisions wait for it. */
const patienceMs = 15_000;

/**
 * What cannot be taken out is told, and stays.
 * @throws LimbeckError `stale_term` where another leads: that one forgets it
 */
export async function forgetJob(nats: Nats, options: ForgetOptions): Promise<void> {
  const { job, places, signal, warn } = options;
  const patience = AbortSignal.timeout(patienceMs);
  try {
    for (const place of places)
      await forgetIn(nats, place, { ...options, signal: AbortSignal.any([signal, patience]) });
  } catch (thrown) {
    signal.throwIfAborted();
    const { code, message } = asLimbeckError(thrown);
    if (code === "stale_term") throw thrown;
    const why = patience.aborted ? `it did not answer for ${patienceMs / 1000} s` : message;
    warn(`what ${nats.where} has of ${job}, which is forgotten, stays there: ${why}`);
  }
}

async function forgetIn(
  nats: Nats,
  { stream, subject }: ForgetOptions["places"][number],
  { job, signal, confirmed }: ForgetOptions,
): Promise<void> {
  const what = `to forget ${job}`;
  const manager = await nats.connection.jetstreamManager({ checkAPI: false, timeout: answerMs });
  for (let attempt = 0; ; attempt++) {
    const { sequence } = await lastOf(nats, { stream, subject }, { signal, what });
    // The server takes "before the first" for "all".
    if (sequence === 0) return;
    try {
      if (!(await confirmed())) throw new LimbeckError("stale_term", `another leads: it is not for this one ${what}`);
      await manager.streams.purge(stream, { filter: subject, seq: sequence + 1 });
      return;
    } catch (thrown) {
      const cause = thrown instanceof LimbeckError ? thrown.cause : thrown;
      if (!isOutage(cause)) throw natsFailure(thrown, nats.where, what);
    }
    await pause(attempt, signal);
  }
}
