/** Numbers in a journal: who appends them, and what must be true of them in the end. */
import assert from "node:assert/strict";
import type { Leadership } from "../../../coordinator/store.ts";
import type { OpenedStore } from "./storeof.ts";

export interface Numbered {
  readonly at: number;
  readonly fence: number;
}

/** What the contenders wrote: each number once, in order, and the fence of a later one is never smaller. */
export async function assertOneWriter({ lead }: OpenedStore, atLeast: number): Promise<void> {
  const leadership = await lead("reader");
  const { records } = await leadership.journal<Numbered>("job");
  assert.deepEqual(
    records.map(({ at }) => at),
    [...records.keys()],
  );
  assert.ok(records.length >= atLeast, `${records.length} records, ${atLeast} were reported`);
  const fences = records.map(({ fence }) => fence);
  assert.deepEqual(
    fences,
    fences.toSorted((a, b) => a - b),
  );
  await leadership.resign();
}

/** Appends numbers until it is told to end. */
export function appending(leadership: Leadership, journal: { append(record: Numbered): Promise<void> }, from = 0) {
  let at = from;
  let isOver = false;
  const done = (async () => {
    while (!isOver) {
      await journal.append({ at, fence: leadership.fence });
      at += 1;
    }
  })();
  return {
    count: () => at,
    end: async () => {
      isOver = true;
      await done;
      return at;
    },
  };
}

export async function until(isSo: () => boolean): Promise<void> {
  for (const endMs = performance.now() + 20_000; !isSo(); await new Promise((next) => setTimeout(next, 20)))
    assert.ok(performance.now() < endMs, `waited 20 s for ${isSo}`);
}
