/**
 * A store that writes down when its leader found that it may decide, and when it knew that it leads no more. Journals are
 * witnesses, too: those of jobs that are over stay as they are.
 */
import { closeSync, openSync, writeSync } from "node:fs";
import type { Leadership, Store } from "../../../coordinator/store.ts";

/** A line of the record. */
export interface Recorded {
  readonly kind: "led" | "decided" | "left";
  /** One life of one coordinator. */
  readonly coordinator: string;
  readonly fence: number;
  /** Unix time: all processes of a machine have one clock. */
  readonly atMs: number;
}

/** @param file each line is in it before what it tells of is done: a process that is killed has told all */
export function recorded(store: Store, coordinator: string, file: string): Store {
  const record = openSync(file, "a");
  const write = (kind: Recorded["kind"], fence: number) => {
    const line: Recorded = { kind, coordinator, fence, atMs: Date.now() };
    writeSync(record, `${JSON.stringify(line)}\n`);
  };
  return {
    where: store.where,
    trouble: () => store.trouble(),
    async lead(own, options) {
      const leadership = await store.lead(own, options);
      write("led", leadership.fence);
      void leadership.lost.then(() => write("left", leadership.fence));
      return watched(leadership, () => write("decided", leadership.fence));
    },
    async close() {
      await store.close();
      closeSync(record);
    },
  };
}

/** Whoever is about to decide asks first (coordinator/store.ts). */
function watched(leadership: Leadership, decided: () => void): Leadership {
  return {
    ...leadership,
    journal: async <R>(name: string, until?: AbortSignal) => {
      const journal = await leadership.journal<R>(name, until);
      const compact = async (records: readonly R[]) => {
        if (records.length > 0) await journal.compact(records);
      };
      return { ...journal, compact };
    },
    holds() {
      const isHeld = leadership.holds();
      if (isHeld) decided();
      return isHeld;
    },
    async held() {
      await leadership.held();
      decided();
    },
  };
}
