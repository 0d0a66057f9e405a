/**
 * A job's events in the cluster's stream, for this coordinator's next life and for other programs: each on the subject of
 * its kind. They queue here while the server is away, and go out one after the other. Who opens them says `led` first:
 * what an older leader sends afterwards is refused where this one has sent of the same kind, and passed over where it has
 * not.
 */
import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { asLimbeckError, LimbeckError } from "../../core/errors.ts";
import { eventOf } from "../../core/eventline.ts";
import type { ProgressEvent } from "../../core/events.ts";
import { eventSubject } from "../../proto/cluster.ts";
import type { Nats } from "../../proto/nats.ts";
import type { EventStore } from "../store.ts";
import { type Entry, mostPartBytes, newAssembly, partsOf } from "./entry.ts";
import { newEventQueue } from "./eventqueue.ts";
import { type Last, lastOf, publish } from "./publish.ts";
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

  const notNewer = ({ fence: its, sequence }: Last): number => {
    if (its <= fence) return sequence;
    throw new LimbeckError("stale_term", `the leader with fence ${its} sends them, this one has fence ${fence}`);
  };

  const send = async (kind: string, entry: Entry): Promise<void> => {
    const subject = eventSubject(cluster, job, kind);
    for (const part of partsOf(entry, mostPartBytes(nats))) {
      const id = `${opening}.${++written}`;
      for (let stored = false; !stored; ) {
        await held();
        const expected = lasts.get(kind) ?? notNewer(await lastOf(nats, { stream, subject }, { signal, what }));
        const message = { stream, subject, part, id, expected };
        const outcome = await publish(nats, message, { signal, what });
        stored = outcome.kind === "stored";
        // Refused: what this stream had has aged, or an older leader was still sending.
        lasts.set(kind, outcome.kind === "stored" ? outcome.sequence : notNewer(outcome.last));
      }
    }
  };

  /** A feed that others read ends no training. */
  const fail = (thrown: unknown): void => {
    failure = asLimbeckError(thrown).message;
    warn(`no more of ${what} are recorded: ${failure}`);
  };

  let sending: Promise<void> | null = null;
  const drain = async () => {
    for (let event = queue.first(); event && failure === ""; event = queue.first()) {
      try {
        await send(event.kind, { kind: "record", fence, text: JSON.stringify(event) });
      } catch (thrown) {
        if (!signal.aborted) fail(thrown);
        return;
      }
      queue.shift();
    }
  };

  try {
    await send("led", { kind: "led", fence, text: JSON.stringify({ kind: "led", fence }) });
  } catch (thrown) {
    signal.throwIfAborted();
    fail(thrown);
  }
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
  let newest = 0;
  await readParts(
    nats,
    { stream, subject: eventSubject(cluster, job, "*"), from: 1 },
    {
      signal,
      what,
      take(part) {
        // Of an older leader, after a newer one had said that it leads: nobody's.
        if (part.fence < newest) return;
        newest = part.fence;
        const entry = assembly.add(part);
        const event = entry?.kind === "record" && eventOf(entry.text);
        if (event) events.push(event);
      },
    },
  );
  return events;
}
