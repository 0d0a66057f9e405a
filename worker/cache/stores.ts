/**
 * The folder of all stores: each a folder named by its id, with a header that is whole or absent (L4) and the file of
 * records. Only making and dropping stores takes a lock. One that is dropped while others read it goes on for them.
 */
import { readdir, stat, statfs, utimes } from "node:fs/promises";
import { join } from "node:path";
import { makeFolder, readFileWithin, writing } from "../../proto/files.ts";
import { removeFolderWhole, writeFolderWhole } from "../artifacts/durable.ts";
import { withLock } from "../engine/lock.ts";
import { type StoreKey, storeId, storeKeySchema } from "./key.ts";
import { recordsFile, storeBytes } from "./store.ts";

const headerFile = "store.json";
const mostHeaderBytes = 1 << 16;
/** One that was used so lately is in use: it is not dropped for another. */
const inUseMs = 120_000;

export interface StoreEntry {
  readonly id: string;
  readonly folder: string;
  /** null where the header is damaged: no one will use it. */
  readonly key: StoreKey | null;
  /** Of the whole store, filled or not. */
  readonly bytes: number;
  /** Of them, those that take room on the disk. */
  readonly diskBytes: number;
  readonly usedMs: number;
}

/** All stores of the folder, the one used last first. */
export async function listStores(dir: string): Promise<StoreEntry[]> {
  const names = (await readdir(dir).catch((): string[] => [])).filter((name) => /^[0-9a-f]{32}$/.test(name));
  const entries = await Promise.all(names.map((id) => entryOf(join(dir, id), id)));
  return entries.filter((entry) => entry !== null).sort((one, other) => other.usedMs - one.usedMs);
}

/** null where it is gone. */
async function entryOf(folder: string, id: string): Promise<StoreEntry | null> {
  const header = await stat(join(folder, headerFile)).catch(() => null);
  if (!header) return null;
  const key = await keyOf(folder, id);
  const records = await stat(join(folder, recordsFile)).catch(() => null);
  const bytes = key ? storeBytes(key) : (records?.size ?? 0);
  return { id, folder, key, bytes, diskBytes: 512 * (records?.blocks ?? 0), usedMs: header.mtimeMs };
}

/** The header's key; null where it is not that of this id (L6). */
async function keyOf(folder: string, id: string): Promise<StoreKey | null> {
  try {
    const text = String(await readFileWithin(join(folder, headerFile), mostHeaderBytes));
    const key: StoreKey = storeKeySchema.parse(JSON.parse(text));
    return storeId(key) === id ? key : null;
  } catch {
    return null;
  }
}

/** The folder of the store, if there is one. */
export async function findStore(dir: string, key: StoreKey): Promise<string | null> {
  const id = storeId(key);
  return (await keyOf(join(dir, id), id)) ? join(dir, id) : null;
}

/**
 * Finds or makes the store of this key, and drops what was used least recently where the folder would grow beyond
 * `maxBytes`. Gives the reason where there is no room for it.
 * @throws LimbeckError `unavailable` where the folder cannot be written
 */
export async function makeStore(
  dir: string,
  key: StoreKey,
  maxBytes: number,
): Promise<{ readonly folder: string } | { readonly why: string }> {
  const lock = { log: () => {}, doing: "makes room in the cache of soft targets" };
  const make = async () => {
    const found = await findStore(dir, key);
    if (found) return { folder: found };
    const why = await makeRoom(dir, storeBytes(key), maxBytes);
    if (why !== null) return { why };
    const folder = join(dir, storeId(key));
    await writeFolderWhole(folder, headerFile, (write) => write(headerFile, `${JSON.stringify(key)}\n`));
    return { folder };
  };
  return await writing(dir, async () => {
    await makeFolder(dir);
    return await withLock(join(dir, ".lock"), lock, make);
  });
}

/** null where there is room, or has been made. */
async function makeRoom(dir: string, bytes: number, maxBytes: number): Promise<string | null> {
  const wanted = `${sizeText(bytes)} of soft targets do not fit into ${dir}`;
  if (bytes > maxBytes) return `${wanted}: softTargets.cache.maxBytes is ${sizeText(maxBytes)}`;
  const stores = await listStores(dir);
  let held = stores.reduce((total, store) => total + store.bytes, 0);
  for (const store of stores.reverse()) {
    if (held + bytes <= maxBytes) break;
    if (store.key !== null && Date.now() - store.usedMs < inUseMs) continue;
    await removeFolderWhole(store.folder);
    held -= store.bytes;
  }
  if (held + bytes > maxBytes) return `${wanted}: ${sizeText(held)} of ${sizeText(maxBytes)} are in use`;
  const { bavail, bsize } = await statfs(dir);
  return bavail * bsize < bytes ? `${wanted}: its disk has ${sizeText(bavail * bsize)} left` : null;
}

/** Says that the store is in use. */
export async function touchStore(folder: string): Promise<void> {
  const now = new Date();
  await utimes(join(folder, headerFile), now, now).catch(() => undefined); // It may have been removed.
}

/** Bytes for people. */
export function sizeText(bytes: number): string {
  const units = ["bytes", "KiB", "MiB", "GiB", "TiB"];
  const power = Math.min(units.length - 1, Math.floor(Math.log2(Math.max(1, bytes)) / 10));
  return `${Number((bytes / 2 ** (10 * power)).toPrecision(3))} ${units[power]}`;
}
