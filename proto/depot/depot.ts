/**
 * Where checkpoints, models and reports go when workers and coordinators share no folder. An object is whole or absent
 * (L4); what is of several objects is there when the one that is written last is. What a store has to do is a `Shelf`;
 * what is the same for all, keys, hashes and files, is here.
 */
import { createHash } from "node:crypto";
import { open, rename, rm } from "node:fs/promises";
import { LimbeckError } from "../../core/errors.ts";
import { writing } from "../files.ts";
import { checkKey, isKey, isWithin, joinKey } from "./key.ts";
import { type Source, sourceOf } from "./source.ts";

export interface DepotEntry {
  readonly key: string;
  readonly bytes: number;
}

export interface DepotFile {
  readonly bytes: number;
  readonly sha256: string;
}

export interface DepotObject {
  readonly bytes: number;
  readonly pieces: AsyncIterable<Uint8Array>;
}

/** Bytes, or the path of a local file. Lines may be added to it meanwhile: it is put as it was at the beginning. */
export type DepotContent = Uint8Array | { readonly file: string };

/** All throw LimbeckError: `unavailable` where the store cannot be reached or refuses, `usage` for what is no key, and the signal's reason. */
export interface Depot {
  /** For messages, without credentials. */
  readonly where: string;
  /** Whole or not at all, in place of what was there. @throws also `corrupt` where a local file is missing */
  put(key: string, content: DepotContent, signal?: AbortSignal): Promise<DepotFile>;
  /** Into a local file, whole or not at all. @throws also `corrupt` where it is missing, or is not what was put */
  get(key: string, file: string, signal?: AbortSignal): Promise<DepotFile>;
  /** Of any size: its pieces end with `corrupt` where it is not what was put. @throws as `get` */
  open(key: string, signal?: AbortSignal): Promise<DepotObject>;
  /** Of a small one. @throws as `get` */
  read(key: string, signal?: AbortSignal): Promise<Uint8Array>;
  /** What lies in the folder `prefix`, at any depth, in the order of the keys. */
  list(prefix: string, signal?: AbortSignal): Promise<readonly DepotEntry[]>;
  /** The object of this key, and all that lies in the folder of this name; nothing, where there is nothing. */
  remove(prefix: string, signal?: AbortSignal): Promise<void>;
  /** Of the object of this key alone, which has been listed: nothing else is looked at. */
  removeOne(key: string, signal?: AbortSignal): Promise<void>;
  close(): Promise<void>;
}

export interface Stored {
  /** As it was put; null where the store keeps none. */
  readonly sha256: string | null;
  readonly bytes: number;
  readonly pieces: AsyncIterable<Uint8Array>;
}

/** What a kind of store does. Keys are checked. */
export interface Shelf {
  readonly where: string;
  put(key: string, source: Source, signal: AbortSignal): Promise<void>;
  /** null where there is none. */
  open(key: string, signal: AbortSignal): Promise<Stored | null>;
  list(prefix: string, signal: AbortSignal): Promise<readonly DepotEntry[]>;
  remove(key: string, signal: AbortSignal): Promise<void>;
  close(): Promise<void>;
}

const never = new AbortController().signal;

export function depotOn(shelf: Shelf): Depot {
  const { where } = shelf;
  const opened = async (key: string, signal: AbortSignal): Promise<Stored> => {
    const stored = await shelf.open(checkKey(key), signal);
    if (stored) return stored;
    throw new LimbeckError("corrupt", `${key} is missing in ${where}`);
  };
  const list = async (prefix: string, signal: AbortSignal) => {
    const entries = await shelf.list(prefix === "" ? "" : checkKey(prefix), signal);
    // Others may have put what is no key of ours there: it is not looked at, for keys become paths.
    return entries.filter(({ key }) => isKey(key) && isWithin(prefix, key)).sort(byKey);
  };
  return {
    where,
    async put(key, content, signal = never) {
      const source = await sourceOf(content, signal);
      await shelf.put(checkKey(key), source, signal);
      return { bytes: source.bytes, sha256: source.sha256 };
    },
    async get(key, file, signal = never) {
      const stored = await opened(key, signal);
      const temporary = `${file}.tmp-${process.pid}`;
      return await writing(file, async () => {
        try {
          await using handle = await open(temporary, "w");
          let sha256 = "";
          const hashed = (hash: string) => {
            sha256 = hash;
          };
          for await (const piece of intact(key, where, stored, hashed)) await handle.writeFile(piece);
          await handle.sync();
          await rename(temporary, file);
          return { bytes: stored.bytes, sha256 };
        } catch (thrown) {
          await rm(temporary, { force: true });
          throw thrown;
        }
      });
    },
    async open(key, signal = never) {
      const stored = await opened(key, signal);
      return { bytes: stored.bytes, pieces: intact(key, where, stored) };
    },
    async read(key, signal = never) {
      const pieces: Uint8Array[] = [];
      for await (const piece of intact(key, where, await opened(key, signal))) pieces.push(piece);
      return Buffer.concat(pieces);
    },
    list: async (prefix, signal = never) => await list(prefix, signal),
    async remove(prefix, signal = never) {
      for (const { key } of await list(checkKey(prefix), signal)) await shelf.remove(key, signal);
    },
    removeOne: async (key, signal = never) => await shelf.remove(checkKey(key), signal),
    close: () => shelf.close(),
  };
}

/** The part of a depot whose keys begin with a folder, by their rest. Closing it closes nothing. */
export function within(depot: Depot, folder: string): Depot {
  checkKey(folder);
  const inside = (key: string) => joinKey(folder, key);
  return {
    where: `${depot.where}/${folder}`,
    put: (key, content, signal) => depot.put(inside(key), content, signal),
    get: (key, file, signal) => depot.get(inside(key), file, signal),
    open: (key, signal) => depot.open(inside(key), signal),
    read: (key, signal) => depot.read(inside(key), signal),
    list: async (prefix, signal) =>
      (await depot.list(inside(prefix), signal)).map(({ key, bytes }) => ({
        key: key.slice(folder.length + 1),
        bytes,
      })),
    remove: (prefix, signal) => depot.remove(inside(prefix), signal),
    removeOne: (key, signal) => depot.removeOne(inside(key), signal),
    close: async () => {},
  };
}

/** Gives out the pieces and compares them with what was put. @param hashed told the sha256 at the end */
async function* intact(
  key: string,
  where: string,
  { sha256: expected, bytes, pieces }: Stored,
  hashed: (sha256: string) => void = () => {},
): AsyncGenerator<Uint8Array> {
  const hash = createHash("sha256");
  let taken = 0;
  for await (const piece of pieces) {
    hash.update(piece);
    taken += piece.length;
    if (taken > bytes) break; // What says less than it has may have no end.
    yield piece;
  }
  if (taken !== bytes)
    throw new LimbeckError(
      "corrupt",
      `${key} in ${where} gave ${taken > bytes ? "more" : taken} of its ${bytes} bytes`,
    );
  const sha256 = hash.digest("hex");
  if (expected === null || expected === sha256) return hashed(sha256);
  throw new LimbeckError("corrupt", `${key} in ${where} is not what was put there: its sha256 is ${sha256}`);
}

function byKey(one: DepotEntry, other: DepotEntry): number {
  return one.key < other.key ? -1 : 1;
}
