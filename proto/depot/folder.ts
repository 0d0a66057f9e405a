/** `file:`: a folder that all can reach. Objects are files, each written beside its place and renamed into it (L4). */
import { randomUUID } from "node:crypto";
import type { Dirent } from "node:fs";
import { lstat, open, readdir, rename, rm, rmdir, stat } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import { LimbeckError } from "../../core/errors.ts";
import { makeFolder, syncFolder, writing } from "../files.ts";
import type { DepotEntry, Shelf, Stored } from "./depot.ts";
import { piecesOfFile, type Source } from "./source.ts";

const pieceBytes = 1 << 20;

export function folderShelf(root: string): Shelf {
  const where = `the folder ${root}`;
  return {
    where,
    async put(key, source, signal) {
      const path = join(root, key);
      // Hidden: no key begins with a dot.
      const temporary = join(dirname(path), `.tmp-${randomUUID()}`);
      await writing(path, async () => {
        await makeFolder(dirname(path));
        try {
          await writeSynced(temporary, source, signal);
          await rename(temporary, path);
        } catch (thrown) {
          await rm(temporary, { force: true });
          throw thrown;
        }
        await syncFolder(dirname(path));
      });
    },
    async open(key): Promise<Stored | null> {
      const path = join(root, key);
      // A link is no object: it may lead to a file that is none of the depot's.
      const found = await orNull(where, lstat(path));
      if (!found?.isFile()) return null;
      return { sha256: null, bytes: found.size, pieces: piecesOfFile(path)(pieceBytes) };
    },
    async list(prefix) {
      const start = join(root, prefix);
      const found = await orNull(where, stat(start));
      if (found === null) return [];
      if (found.isFile()) {
        const isLink = (await orNull(where, lstat(start)))?.isSymbolicLink() ?? true;
        return isLink ? [] : [{ key: prefix, bytes: found.size }];
      }
      if (!found.isDirectory()) return [];
      const entries = (await orNull(where, readdir(start, { recursive: true, withFileTypes: true }))) ?? [];
      const files = await Promise.all(entries.map((entry) => entryOf(root, entry)));
      return files.filter((entry) => entry !== null);
    },
    async remove(key) {
      await writing(join(root, key), () => rm(join(root, key), { force: true }));
      // A folder whose last file it was goes, too, as it does in other stores; one that others fill stays.
      await rmdir(dirname(join(root, key))).catch(() => undefined);
    },
    close: async () => {},
  };
}

async function writeSynced(path: string, source: Source, signal: AbortSignal): Promise<void> {
  await using file = await open(path, "wx");
  for await (const piece of source.pieces(pieceBytes)) {
    signal.throwIfAborted();
    await file.writeFile(piece);
  }
  await file.sync();
}

async function entryOf(root: string, entry: Dirent): Promise<DepotEntry | null> {
  if (!entry.isFile()) return null;
  const path = join(entry.parentPath, entry.name);
  // Another may remove it meanwhile.
  const found = await stat(path).catch(() => null);
  return found && { key: relative(root, path), bytes: found.size };
}

async function orNull<T>(where: string, asking: Promise<T>): Promise<T | null> {
  try {
    return await asking;
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ENOTDIR") return null;
    throw new LimbeckError("unavailable", `${where} cannot be read: ${message}`, { cause });
  }
}
