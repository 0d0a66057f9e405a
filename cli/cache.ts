/** `limbeck cache`: the soft targets that are kept on disk, listed, checked, removed. */

import { resolve } from "node:path";
import { LimbeckError } from "../core/errors.ts";
import { bytesText, counted, whole } from "../core/words.ts";
import { removeFolderWhole } from "../worker/artifacts/durable.ts";
import { checkStore, type StoreCheck } from "../worker/cache/check.ts";
import { viewsText } from "../worker/cache/key.ts";
import { listStores, type StoreEntry } from "../worker/cache/stores.ts";
import { softTargetFolder } from "../worker/engine/environment.ts";
import type { OutputFormat } from "./display.ts";
import { newTable } from "./table.ts";

interface CacheOptions {
  readonly dir?: string;
  readonly output: OutputFormat;
}

/** Damaged records that are named, of each store. */
const named = 10;

/** Every store with what is in it, the one used last first. */
export async function list({ dir, output }: CacheOptions): Promise<void> {
  const stores = await listStores(folderOf(dir));
  const found = stores.map((store) => ({ store, check: checkOf(store) }));
  if (output === "json")
    return print(found.map(({ store, check }) => ({ ...facts(store), records: check?.whole ?? 0 })));
  if (stores.length === 0) return say(`no soft targets are kept in ${folderOf(dir)}`);
  const head = ["id", "teacher", "dataset", "views", "format", "records", "of", "size", "on disk", "last used"];
  const table = newTable(head);
  for (const { store, check } of found) {
    const { id, key, bytes, diskBytes } = store;
    const what = key
      ? [short(key.teacher), short(key.dataset), viewsText(key), formatText(store)]
      : ["?", "?", "damaged header", "?"];
    const filled = [check ? whole.format(check.whole) : "?", key ? whole.format(key.examples * key.period) : "?"];
    table.push([short(id), ...what, ...filled, bytesText(bytes), bytesText(diskBytes), timeOf(store)]);
  }
  const total = stores.reduce((sum, { diskBytes }) => sum + diskBytes, 0);
  say(`${table.toString()}\n${bytesText(total)} on disk in ${folderOf(dir)}`);
}

/** Throws `corrupt` where a record or a header is damaged, after all of it is told. */
export async function verify(ids: readonly string[], { dir, output }: CacheOptions): Promise<void> {
  const stores = await chosen(ids, dir);
  const found = stores.map((store) => ({ store, check: checkOf(store) }));
  if (output === "json")
    print(found.map(({ store, check }) => ({ ...facts(store), header: check !== null, ...check })));
  else for (const { store, check } of found) say(verdictOf(store, check));
  const wrong = found.filter(({ check }) => check === null || check.damaged.length > 0);
  if (wrong.length === 0) return;
  const which = wrong.map(({ store }) => short(store.id)).join(", ");
  throw new LimbeckError(
    "corrupt",
    `damage in ${which}: what is damaged is never used, and is asked for again; \`limbeck cache rm\` removes a store`,
  );
}

/** Removes the stores that are named, or all. Jobs that use one go on without it. */
export async function remove(
  ids: readonly string[],
  { dir, output, all }: CacheOptions & { readonly all?: boolean },
): Promise<void> {
  if ((all === true && ids.length > 0) || (all !== true && ids.length === 0)) {
    throw new LimbeckError("usage", "name the stores to remove, or say --all: `limbeck cache ls` shows them");
  }
  const stores = await chosen(ids, dir);
  for (const { folder } of stores) await removeFolderWhole(folder);
  if (output === "json") return print(stores.map(({ id, bytes }) => ({ id, bytes })));
  say(`removed ${counted(stores.length, "store")} from ${folderOf(dir)}`);
}

function folderOf(dir: string | undefined): string {
  return dir === undefined ? softTargetFolder() : resolve(dir);
}

/** @param ids as far as they are unambiguous; all stores, if none is named */
async function chosen(ids: readonly string[], dir: string | undefined): Promise<StoreEntry[]> {
  const stores = await listStores(folderOf(dir));
  if (ids.length === 0) return stores;
  return ids.map((id) => {
    const fitting = stores.filter((store) => store.id.startsWith(id));
    if (fitting.length === 1) return fitting[0]!;
    const are = fitting.length === 0 ? "no store" : `${fitting.length} stores`;
    throw new LimbeckError("usage", `${are} in ${folderOf(dir)} whose id begins with ${id}: \`limbeck cache ls\``);
  });
}

/** null where the header is damaged. */
function checkOf({ folder, key }: StoreEntry): StoreCheck | null {
  return key && checkStore(folder, key);
}

function verdictOf({ id, folder, key }: StoreEntry, check: StoreCheck | null): string {
  if (!key || !check) return `${short(id)}: its header, store.json in ${folder}, is damaged: nothing in it is used`;
  const records = `${whole.format(check.whole)} of ${whole.format(key.examples * key.period)} records`;
  if (check.damaged.length === 0) return `${short(id)}: ${records}, all whole`;
  const some = check.damaged.slice(0, named).map(({ example, view }) => `example ${example} view ${view}`);
  const more = check.damaged.length > named ? `, and ${check.damaged.length - named} more` : "";
  return `${short(id)}: ${records}, ${check.damaged.length} damaged: ${some.join(", ")}${more}`;
}

function facts({ id, key, bytes, diskBytes, usedMs }: StoreEntry) {
  return { id, key, bytes, diskBytes, lastUsed: new Date(usedMs).toISOString() };
}

function formatText({ key }: StoreEntry): string {
  return `${key!.format}, ${key!.classes} classes${key!.bits ? `, lanes of ${key!.bits.laneBatch}` : ""}`;
}

function timeOf({ usedMs }: StoreEntry): string {
  return new Date(usedMs).toISOString().slice(0, 16).replace("T", " ");
}

function short(digest: string): string {
  return digest.slice(0, 12);
}

function print(value: unknown): void {
  say(JSON.stringify(value));
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
