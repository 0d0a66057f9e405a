/**
 * A journal on a subject of a stream. Each message is appended only where the subject's last is the one that its writer
 * knows; a leader that opens a journal appends `led` first. So what an older leader appends afterwards is refused, and
 * the fences in a journal never go back.
 */
import { randomUUID } from "node:crypto";
import { LimbeckError } from "../../core/errors.ts";
import type { Nats } from "../../proto/nats.ts";
import type { Journal } from "../store.ts";
import { type Entry, type EntryKind, mostPartBytes, newAssembly, partsOf } from "./entry.ts";
import { type Last, pause, publish } from "./publish.ts";
import { readParts } from "./read.ts";

export interface NatsJournalOptions {
  readonly stream: string;
  readonly subject: string;
  readonly name: string;
  readonly fence: number;
  /** Ends every wait: another leads. */
  readonly signal: AbortSignal;
  /** Resolves when this leader may decide. */
  held(): Promise<void>;
  /** Makes the stream again where it is gone. */
  ensureStream(): Promise<void>;
  warn(why: string): void;
}

export async function openNatsJournal<R>(nats: Nats, options: NatsJournalOptions): Promise<Journal<R>> {
  const { stream, subject, name, fence, signal, held, warn } = options;
  const what = `the journal ${name}`;
  /** All there are, also of this life: what the server loses is written again. */
  let records: R[] = [];
  let last = 0;
  /** Begins the ids of the messages: the server takes one that it knows for the same message. */
  const opening = randomUUID();
  let written = 0;
  let assembly = newAssembly();

  const stale = (by: number) =>
    new LimbeckError(
      "stale_term",
      `the leader with fence ${by} writes ${what}, this one has fence ${fence}: it leads no more`,
    );

  const corrupt = (kind: EntryKind, sequence: number, cause?: unknown) =>
    new LimbeckError("corrupt", `message ${sequence} of ${stream} is no ${kind} of ${what}`, { cause });

  const taken = ({ kind, text }: Entry, sequence: number): void => {
    if (kind !== "record" && kind !== "snapshot") return;
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch (cause) {
      throw corrupt(kind, sequence, cause);
    }
    if (kind === "record") records.push(value as R);
    else if (Array.isArray(value)) records = value as R[];
    else throw corrupt(kind, sequence);
  };

  const readOn = async () => {
    last = await readParts(
      nats,
      { stream, subject, from: last + 1 },
      {
        signal,
        what,
        take(part, sequence) {
          if (part.fence > fence) throw stale(part.fence);
          const entry = assembly.add(part);
          if (entry) taken(entry, sequence);
        },
      },
    );
  };

  /** @returns what stands in its place where it was refused; null where all of it is there */
  const write = async (kind: EntryKind, text: string): Promise<Last | null> => {
    const entry: Entry = { kind, fence, text };
    for (const part of partsOf(entry, mostPartBytes(nats))) {
      const id = `${opening}.${++written}`;
      const outcome = await publish(nats, { stream, subject, part, id, expected: last }, { signal, what });
      if (outcome.kind === "refused") {
        if (outcome.last.fence > fence) throw stale(outcome.last.fence);
        return outcome.last;
      }
      last = outcome.sequence;
    }
    return null;
  };

  /** The snapshot first: where a crash comes between the two, it still stands for all that is before it. */
  const writeSnapshot = async (all: readonly R[]): Promise<void> => {
    for (;;) {
      const before = last;
      const instead = await write("snapshot", JSON.stringify(all));
      if (instead === null) {
        return await purgeUpTo(before);
      }
      last = instead.sequence;
      await options.ensureStream();
    }
  };

  const purgeUpTo = async (sequence: number): Promise<void> => {
    // The server takes "before the first" for "all".
    if (sequence === 0) return;
    const manager = await nats.connection.jetstreamManager({ checkAPI: false });
    // What is left lies before a snapshot and counts for nothing; the next compaction takes it along.
    await manager.streams.purge(stream, { filter: subject, seq: sequence + 1 }).catch(() => {});
  };

  let failure: unknown = null;
  let queue: Promise<void> = Promise.resolve();
  /** One after the other; nothing after what failed. */
  const inTurn = (work: () => Promise<void>): Promise<void> => {
    const turn = queue.then(async () => {
      if (failure !== null) throw failure;
      try {
        await held();
        await work();
        // A process that was stopped meanwhile learns here that its decision is nobody's.
        await held();
      } catch (thrown) {
        failure = thrown;
        throw thrown;
      }
    });
    queue = turn.catch(() => {});
    return turn;
  };

  await readOn();
  for (let attempt = 0; ; attempt++) {
    const instead = await write("led", "");
    if (instead === null) break;
    if (instead.sequence < last) {
      // Purged, or lost, since it was read: what is there now is read from its beginning.
      [records, last, assembly] = [[], 0, newAssembly()];
    }
    await pause(attempt, signal);
    await readOn();
  }
  const { torn } = assembly;
  return {
    records: [...records],
    note: torn > 0 ? `${torn} of the entries of ${what} were not written whole, and are left out` : "",
    append: (record) =>
      inTurn(async () => {
        const isWritten = (await write("record", JSON.stringify(record))) === null;
        records.push(record);
        if (isWritten) return;
        warn(
          `${nats.where} has lost entries of ${what} that it had acknowledged: all ${records.length} are written again`,
        );
        await options.ensureStream();
        await writeSnapshot(records);
      }),
    compact: (instead) =>
      inTurn(async () => {
        await writeSnapshot(instead);
        records = [...instead];
      }),
    close: () => queue,
  };
}
