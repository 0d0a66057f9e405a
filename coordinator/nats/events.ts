/**
 * A job's events in the cluster's stream, for this coordinator's next life and for other programs: each on the subject of
 * its kind. They queue here while the server is away, and go out one after the other.
 */
import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { asLimbeckError } from "../../core/errors.ts";
import { eventOf } from "../../core/eventline.ts";
import type { ProgressEvent } from "../../core/events.ts";
import { eventSubject } from "../../proto/cluster.ts";
import type { Nats } from "../../proto/nats.ts";
import type { EventStore } from "../store.ts";
import { mostPartBytes, newAssembly, partsOf } from "./entry.ts";
import { newEventQueue } from "./eventqueue.ts";
import { lastOf, publish } from "./publish.ts";
import { readParts } from "./read.ts";

export interface NatsEventsOptions {
  readonly cluster: string;
  readonly stream: string;
  readonly job: string;
  readonly fence: number;
  readonly signal: AbortSignal;
  held(): Promise<void>;
  warn(why: string): void;
  readonly mostQueued?: number;
}

const usualMostQueued = 10_000;
/** What a job's end waits for a server that is away. */
const closeMs = 2_000;

export async function openNatsEvents(nats: Nats, options: NatsEventsOptions): Promise<EventStore> {
  const { cluster, stream, job, fence, held, warn, mostQueued = usualMostQueued } = options;
  const what = `the events of ${job}`;
  const ending = new AbortController();
  const signal = AbortSignal.any([options.signal, ending.signal]);
  /** By kind, the sequence of the subject's last message; where it is not known it is looked up. */
  const lasts = new Map<string, number>();
  const queue = newEventQueue({
    most: mostQueued,
    overflowed: () => warn(`${mostQueued} of ${what} wait for ${nats.where}: the oldest steps among them are let go`),
  });
  /** Begins the ids of the messages: the server takes one that it knows for the same message. */
  const opening = randomUUID();
  let written = 0;
  let failure = "";

  const send = async (event: ProgressEvent): Promise<void> => {
    const { kind } = event;
    const subject = eventSubject(cluster, job, kind);
    const entry = { kind: "record", fence, text: JSON.stringify(event) } as const;
    for (const part of partsOf(entry, mostPartBytes(nats))) {
      const id = `${opening}.${++written}`;
      for (let stored = false; !stored; ) {
        await held();
        const expected = lasts.get(kind) ?? (await lastOf(nats, { stream, subject }, { signal, what })).sequence;
        const message = { stream, subject, part, id, expected };
        const outcome = await publish(nats, message, { signal, what });
        stored = outcome.kind === "stored";
        // Refused: what this stream had has aged, or an older leader was still sending.
        lasts.set(kind, outcome.kind === "stored" ? outcome.sequence : outcome.last.sequence);
      }
    }
  };

  let sending: Promise<void> | null = null;
  const drain = async () => {
    for (let event = queue.first(); event && failure === ""; event = queue.first()) {
      try {
        await send(event);
      } catch (thrown) {
        if (signal.aborted) return;
        failure = asLimbeckError(thrown).message;
        // A feed that others read ends no training.
        return warn(`no more of ${what} are recorded: ${failure}`);
      }
      queue.shift();
    }
  };

  return {
    events: await readEvents(nats, options, signal),
    async append(event) {
      if (failure !== "") return;
      queue.push(event);
      sending ??= drain().finally(() => {
        sending = null;
      });
    },
    async close() {
      const deadline = new AbortController();
      const late = sleep(closeMs, undefined, { signal: deadline.signal }).catch(() => {});
      await Promise.race([sending, late]);
      deadline.abort();
      if (sending && !signal.aborted)
        warn(`${queue.length} of ${what} were not recorded: ${nats.where} did not answer`);
      ending.abort();
      await sending;
    },
  };
}

async function readEvents(nats: Nats, options: NatsEventsOptions, signal: AbortSignal): Promise<ProgressEvent[]> {
  const { cluster, stream, job } = options;
  const events: ProgressEvent[] = [];
  const assembly = newAssembly();
  const what = `the events of ${job}`;
  await readParts(
    nats,
    { stream, subject: eventSubject(cluster, job, "*"), from: 1 },
    {
      signal,
      what,
      take(part) {
        const entry = assembly.add(part);
        const event = entry && eventOf(entry.text);
        if (event) events.push(event);
      },
    },
  );
  return events;
}
