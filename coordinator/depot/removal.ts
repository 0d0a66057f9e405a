/** Taking out of the depot what nobody goes on with. */
import type { Depot } from "../../proto/depot/depot.ts";

export interface RemovalOptions {
  /** L3. Before each object: another that leads may have begun the job again. Rejects where it does. */
  readonly mayDecide: () => Promise<void>;
  readonly signal?: AbortSignal;
}

/** Objects that tell of others that these are whole. */
const telling = /(^|\/)(manifest\.json|model\.json|journal\.jsonl)$/;

/** L4. What tells that something is whole goes first: where this is broken off, what is left counts for nothing. @throws as Depot.remove */
export async function removeFolder(depot: Depot, folder: string, { mayDecide, signal }: RemovalOptions): Promise<void> {
  const keys = (await depot.list(folder, signal)).map(({ key }) => key);
  const isTelling = (key: string) => telling.test(key);
  for (const key of [...keys.filter(isTelling), ...keys.filter((key) => !isTelling(key))]) {
    await mayDecide();
    await depot.remove(key, signal);
  }
}
