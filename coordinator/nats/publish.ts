/** Appending to a subject of a stream by compare-and-set, however often the server is away before it answers. */
import { setTimeout as sleep } from "node:timers/promises";
import { headers, type StoredMsg } from "nats";
import { backoffMs } from "../../core/backoff.ts";
import type { Nats } from "../../proto/nats.ts";
import { isOutage, jetStreamCode, jetStreamCodes, natsFailure } from "../../proto/natserrors.ts";
import { entryHeader, headerOf, type Part, partFrom } from "./entry.ts";

export interface Outgoing {
  readonly stream: string;
  readonly subject: string;
  readonly part: Part;
  /** No other message of the stream has it. */
  readonly id: string;
  /** The sequence of the subject's last message; 0: there is none. */
  readonly expected: number;
}

export const idHeader = "Nats-Msg-Id";

/** The last message of a subject. */
export interface Last {
  readonly sequence: number;
  readonly id: string;
  readonly fence: number;
}

export type Published =
  | { readonly kind: "stored"; readonly sequence: number }
  /** It is not there, and will not be: the subject's last message is another than expected. */
  | { readonly kind: "refused"; readonly last: Last };

export interface PublishOptions {
  readonly signal: AbortSignal;
  /** For messages: "the journal mnist-7f3a". */
  readonly what: string;
}

const answerMs = 2_000;
const retry = { firstMs: 50, longestMs: 1_000 };

/**
 * Waits while the server is away. What it did with a message that it did not answer for is looked up by the message's id
 * before it is sent again; one that is still on its way then makes this one a duplicate, or is refused itself.
 * @throws LimbeckError `unavailable` where the server refuses it for good; the signal's reason
 */
export async function publish(nats: Nats, message: Outgoing, options: PublishOptions): Promise<Published> {
  const { subject, part, id, expected } = message;
  const { signal, what } = options;
  const stream = nats.connection.jetstream({ timeout: answerMs });
  const given = headers();
  given.set(entryHeader, headerOf(part));
  for (let attempt = 0; ; attempt++) {
    await nats.reachable(signal);
    signal.throwIfAborted();
    try {
      const expect = { lastSubjectSequence: expected };
      const { seq } = await stream.publish(subject, part.bytes, { msgID: id, headers: given, expect });
      return { kind: "stored", sequence: seq };
    } catch (thrown) {
      const isRefused = jetStreamCode(thrown) === jetStreamCodes.wrongLastSequence;
      if (!isRefused && !isOutage(thrown)) throw natsFailure(thrown, nats.where, what);
    }
    const last = await lastOf(nats, message, options);
    if (last.id === id) return { kind: "stored", sequence: last.sequence };
    if (last.sequence !== expected) return { kind: "refused", last };
    await pause(attempt, signal);
  }
}

/**
 * Sequence 0 where there is no message, or no such stream. Waits while the server is away.
 * @throws as `publish`
 */
export async function lastOf(
  nats: Nats,
  { stream, subject }: Pick<Outgoing, "stream" | "subject">,
  { signal, what }: PublishOptions,
): Promise<Last> {
  for (let attempt = 0; ; attempt++) {
    await nats.reachable(signal);
    signal.throwIfAborted();
    try {
      return await lastNow(nats, { stream, subject }, answerMs);
    } catch (thrown) {
      if (!isOutage(thrown)) throw natsFailure(thrown, nats.where, what);
    }
    await pause(attempt, signal);
  }
}

/** The same, asked once: throws what the client throws. */
export async function lastNow(
  nats: Nats,
  { stream, subject }: Pick<Outgoing, "stream" | "subject">,
  timeoutMs: number,
): Promise<Last> {
  const manager = await nats.connection.jetstreamManager({ checkAPI: false, timeout: timeoutMs });
  try {
    return lastIn(await manager.streams.getMessage(stream, { last_by_subj: subject }));
  } catch (thrown) {
    const code = jetStreamCode(thrown);
    if (code !== jetStreamCodes.noMessage && code !== jetStreamCodes.streamNotFound) throw thrown;
    return { sequence: 0, id: "", fence: 0 };
  }
}

function lastIn({ seq: sequence, header, data }: StoredMsg): Last {
  const { fence } = partFrom(header?.get(entryHeader) ?? "", data);
  return { sequence, id: header?.get(idHeader) ?? "", fence };
}

export async function pause(attempt: number, signal: AbortSignal): Promise<void> {
  await sleep(backoffMs(retry, attempt, Math.random()), undefined, { signal }).catch(() => signal.throwIfAborted());
}
