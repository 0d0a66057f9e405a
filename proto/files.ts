/**
 * Files that must survive a crash (L4), for whoever may import neither coordinator/ nor worker/. It lies here because
 * both sides may import proto/, and core/ may not touch a disk.
 */
import type { Stats } from "node:fs";
import { access, mkdir, open, readFile, rename, rm, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { LimbeckError } from "../core/errors.ts";

/**
 * Written beside its place, fsynced, renamed into it, and the folder fsynced.
 * @throws LimbeckError `unavailable` naming the path and the cause; what was there before is then still there
 */
export async function writeTextWhole(path: string, text: string | Uint8Array): Promise<void> {
  const temporary = `${path}.tmp-${process.pid}`;
  await writing(path, async () => {
    try {
      await using file = await open(temporary, "w");
      await file.writeFile(text);
      await file.sync();
    } catch (thrown) {
      await rm(temporary, { force: true });
      throw thrown;
    }
    await rename(temporary, path);
    await syncFolder(dirname(path));
  });
}

/**
 * Before what a user names is opened: a pipe would wait for who writes into it, a device may never end.
 * @throws as stat, and where it is no file, with a code and a message for people
 */
export async function statFile(path: string): Promise<Stats> {
  const found = await stat(path);
  if (found.isFile()) return found;
  const needed = ", and a file is needed";
  if (found.isDirectory()) throw withCode("EISDIR", `it is a folder${needed}`);
  throw withCode("ENOTSUP", `it is ${found.isFIFO() ? "a pipe" : "a device or a socket"}${needed}`);
}

/**
 * The bytes of a file. Nothing is read of what is none, nor of a file that is larger than what it should hold ever is.
 * @throws as readFile and statFile, with a code and a message for people
 */
export async function readFileWithin(path: string, mostBytes = Number.POSITIVE_INFINITY): Promise<Buffer> {
  const { size } = await statFile(path);
  if (size > mostBytes) throw withCode("EFBIG", `it has ${size} bytes, and at most ${mostBytes} are read`);
  return await readFile(path);
}

function withCode(code: string, message: string): NodeJS.ErrnoException {
  return Object.assign(new Error(message), { code });
}

/** Whether there is something of this path that can be seen. */
export async function exists(path: string): Promise<boolean> {
  return await access(path).then(
    () => true,
    () => false,
  );
}

/** Makes a folder and those above it, each of them recorded on disk in the one above. */
export async function makeFolder(folder: string): Promise<void> {
  const first = await mkdir(folder, { recursive: true });
  if (first === undefined) return;
  for (let made = folder; made.length >= first.length; made = dirname(made)) await syncFolder(dirname(made));
}

export async function syncFolder(folder: string): Promise<void> {
  await using handle = await open(folder, "r");
  await handle.sync();
}

const reasons: Readonly<Record<string, string>> = {
  ENOSPC: "no space is left on its disk",
  EDQUOT: "the disk quota is used up",
  EACCES: "permission is denied",
  EPERM: "permission is denied",
  EROFS: "its file system is read-only",
  ENOTDIR: "a part of its path is a file",
  EEXIST: "a part of its path is a file",
};

/** Runs what writes `path`; throws `unavailable` with the path and a reason in words where it cannot. */
export async function writing<T>(path: string, write: () => Promise<T>): Promise<T> {
  try {
    return await write();
  } catch (cause) {
    if (cause instanceof LimbeckError) throw cause;
    const { code = "", message } = cause as NodeJS.ErrnoException;
    throw new LimbeckError("unavailable", `${path} cannot be written: ${reasons[code] ?? message}`, { cause });
  }
}
