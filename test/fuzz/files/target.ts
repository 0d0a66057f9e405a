/** What is fuzzed: a reader of the product, folders that it takes, and folders that somebody thought of. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export interface Folder {
  /** Contents by path, with slashes. */
  readonly files: Readonly<Record<string, Uint8Array>>;
  /** Symbolic links, by path: where they lead. */
  readonly links?: Readonly<Record<string, string>>;
}

/** A folder written by hand, and what must come of it where that is certain. */
export interface Nasty extends Folder {
  readonly must?: "be refused" | "be taken";
}

export interface Opened {
  /** What the reader takes. */
  readonly seeds: readonly Folder[];
  readonly nasties: Readonly<Record<string, Nasty>>;
  /** Makes digests and checksums right again, so that what they protect is looked at. */
  mend?(folder: Folder): Folder;
  /**
   * Reads the folder as the product does.
   * @throws LimbeckError where it is refused, BrokenPromise where what was read is not what its type says
   */
  read(folder: string): Promise<void>;
  /** What a refusal may name instead of a file. */
  readonly names?: RegExp;
  /** Of `canary`, which lies beside the folder and must not be opened: the bytes that would be taken. */
  readonly canary?: Uint8Array;
  close?(): void | Promise<void>;
}

export interface Target {
  /** @param place where the folder to read will be `in`, beside `canary`; `out` there may be written */
  open(place: string): Promise<Opened>;
}

/** What was read does not keep what its type promises. */
export class BrokenPromise extends Error {}

export function promise(holds: boolean, what: string): asserts holds {
  if (!holds) throw new BrokenPromise(what);
}

export function textFolder(files: Readonly<Record<string, string>>): Folder {
  return { files: Object.fromEntries(Object.entries(files).map(([name, text]) => [name, Buffer.from(text)])) };
}

/** Where the product writes a seed; it is gone afterwards. */
export async function inScratch<T>(write: (scratch: string) => T | Promise<T>): Promise<T> {
  const scratch = mkdtempSync(join(tmpdir(), "limbeck-fuzz-seed-"));
  try {
    return await write(scratch);
  } finally {
    rmSync(scratch, { recursive: true });
  }
}

/** What lies in a folder of the disk. @param at its path in the folder that is made */
export function readFolder(path: string, at: string): Folder {
  const names = readdirSync(path);
  return { files: Object.fromEntries(names.map((name) => [`${at}/${name}`, readFileSync(join(path, name))])) };
}

/** Another folder, with these files instead. */
export function withFiles(folder: Folder, files: Readonly<Record<string, string | Uint8Array>>): Folder {
  const made = Object.entries(files).map(([name, content]) => [name, Buffer.from(content as Uint8Array)] as const);
  return { ...folder, files: { ...folder.files, ...Object.fromEntries(made) } };
}

export function jsonOf<T>(folder: Folder, name: string): T {
  return JSON.parse(Buffer.from(folder.files[name]!).toString()) as T;
}
