/**
 * The journal of a leader on JetStream. Opening it writes that it leads; from then on no append of an older leader finds
 * the sequence that it expects. An append of which nobody knows what became is looked up before it is tried again.
 */
import type { JournalRecord } from "../../coordinator/journalrecord.ts";
import type { Connection, Entry } from "./jetstream.ts";
import type { World } from "./world.ts";

const timeoutMs = 2_000;
const retryMs = 200;

export interface Own {
  readonly writer: string;
  readonly fence: number;
}

export interface JournalParts extends Own {
  readonly connection: Connection;
  /** Another leader has written since. */
  stale(why: string): void;
}

export class LeaderJournal {
  readonly #world: World;
  readonly #parts: JournalParts;
  #last = 0;
  #appended = 0;

  constructor(world: World, parts: JournalParts) {
    this.#world = world;
    this.#parts = parts;
  }

  /** Goes on with the records of earlier leaders, and the sequence of the last. */
  open(then: (records: readonly JournalRecord[], sequence: number) => void): void {
    const { fence, writer, stale } = this.#parts;
    this.#read(0, (entries) => {
      const newer = entries.find((entry) => entry.fence > fence);
      if (newer) return stale(`leader ${newer.fence} has opened the journal`);
      const led = entries.findIndex((entry) => entry.writer === writer && entry.record === null);
      const before = led < 0 ? entries : entries.slice(0, led);
      this.#last = entries.at(-1)?.sequence ?? 0;
      const opened = () => {
        const records = before.flatMap(({ record }) => (record ? [record] : []));
        then(records, before.at(-1)?.sequence ?? 0);
      };
      if (led >= 0 || !this.#world.code.isFenced) return opened();
      this.#try(`${writer}/led`, null, (sequence) => {
        if (sequence === null) return this.open(then);
        this.#last = sequence;
        opened();
      });
    });
  }

  append(record: JournalRecord, then: () => void): void {
    this.#append(`${this.#parts.writer}/${++this.#appended}`, record, then);
  }

  #append(id: string, record: JournalRecord, then: () => void): void {
    const wrote = (sequence: number) => {
      this.#last = sequence;
      then();
    };
    this.#try(id, record, (sequence) => {
      if (sequence !== null) return wrote(sequence);
      this.#read(this.#last, (entries) => {
        const found = this.#world.code.written(entries, id);
        if (found) return wrote(found.sequence);
        const other = entries.find(({ writer }) => writer !== this.#parts.writer);
        if (other) return this.#parts.stale(`leader ${other.fence} has written since`);
        this.#last = entries.at(-1)?.sequence ?? this.#last;
        this.#append(id, record, then);
      });
    });
  }

  /** null: refused, or not known. */
  #try(id: string, record: JournalRecord | null, then: (sequence: number | null) => void): void {
    const { connection, fence, writer } = this.#parts;
    const { jetStream } = this.#world;
    const expected = this.#last;
    connection.ask({
      timeoutMs,
      serve: () => {
        const written = jetStream.append(expected, { id, writer, fence, record });
        if (written.kind === "wrote") connection.life.reach("written");
        return written;
      },
      answer: (written) => then(written?.kind === "wrote" ? written.as : null),
    });
  }

  /** Those after the sequence. Asks until there is an answer. */
  #read(after: number, then: (entries: readonly Entry[]) => void): void {
    const { connection } = this.#parts;
    const { jetStream, clock } = this.#world;
    connection.ask({
      timeoutMs,
      serve: () => jetStream.journal.slice(after),
      answer: (entries) => {
        if (entries) then(entries);
        else clock.after(retryMs, connection.life, () => this.#read(after, then));
      },
    });
  }
}
