/** Taking out of the depot what nobody goes on with. */
import { unlessAborted } from "../../core/aborted.ts";
import type { Depot } from "../../proto/depot/depot.ts";
import { journalName } from "../folder/journal.ts";

export interface RemovalOptions {
  /** L3. Before each object: another that leads may have begun the job again. Rejects where nothing more may go. */
  readonly mayRemove: () => Promise<void>;
  /** L7. */
  readonly signal: AbortSignal;
}

/** Objects that tell of others that these are there, and whole: what tells of most first. */
const telling = [journalName, "manifest.json", "model.json", "report.json"];

/**
 * L4. What tells that something is whole goes first: where this is broken off, what is left counts for nothing. When it
 * is over, nothing of it is under way.
 * @throws as Depot.removeOne
 */
export async function removeFolder(depot: Depot, folder: string, { mayRemove, signal }: RemovalOptions): Promise<void> {
  const keys = (await unlessAborted(depot.list(folder, signal), signal)).map(({ key }) => key);
  const isOf = (name: string) => (key: string) => key === name || key.endsWith(`/${name}`);
  const first = telling.flatMap((name) => keys.filter(isOf(name)));
  for (const key of new Set([...first, ...keys])) {
    signal.throwIfAborted();
    await unlessAborted(mayRemove(), signal);
    await depot.removeOne(key, signal);
  }
}
