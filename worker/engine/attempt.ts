/**
 * One attempt to install an engine from a source, made once per machine. A failure is kept too, so that a machine
 * without TensorFlow is not slow every time.
 */
import { existsSync, readFileSync, statSync } from "node:fs";
import { mkdir, readdir, rename, rm, stat, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { LimbeckError } from "../../core/errors.ts";
import { command } from "./commands.ts";
import { withLock } from "./lock.ts";
import type { InstallOptions, Source, SourceInstall } from "./source.ts";
import { loadsAddon } from "./tfjsnode.ts";

export type Attempt = { readonly install: SourceInstall } | { readonly failure: string };

/** As kept in the folder; `bytes` of each of the install's files. */
type Kept =
  | { readonly install: SourceInstall; readonly bytes: readonly number[] }
  | { readonly failure: string; readonly atMs: number };

const record = "engine.json";
const retryFailureMs = 60 * 60_000;
const loadMs = 60_000;

/** What the folder tells of the last attempt; null where there was none or what it left is damaged. */
export function lastAttempt(folder: string): Attempt | null {
  return read(folder);
}

/** The last attempt where it holds, else a new one. Of several processes one makes it, the others wait for it. */
export async function attempted(source: Source, folder: string, options: InstallOptions): Promise<Attempt> {
  const settled = () => (options.failed === "again" ? lastInstall(folder) : current(folder));
  const known = settled();
  if (known) return known;
  try {
    await mkdir(dirname(folder), { recursive: true });
    return await withLock(`${folder}.lock`, { ...options, doing: "sets up the engine" }, async () => {
      return settled() ?? (await attempt(source, folder, options));
    });
  } catch (thrown) {
    const { syscall, message } = (
      thrown instanceof LimbeckError ? (thrown.cause ?? thrown) : thrown
    ) as NodeJS.ErrnoException;
    if (syscall === undefined) throw thrown;
    return { failure: `the cache cannot be written (${message}); LIMBECK_CACHE names another folder for it` };
  }
}

function lastInstall(folder: string): Attempt | null {
  const kept = read(folder);
  return kept !== null && "install" in kept ? kept : null;
}

function current(folder: string): Attempt | null {
  const kept = read(folder);
  if (kept === null || "install" in kept) return kept;
  return Date.now() - kept.atMs < retryFailureMs ? kept : null;
}

function read(folder: string): Kept | null {
  const file = join(folder, record);
  if (!existsSync(file)) return null;
  try {
    const kept = JSON.parse(readFileSync(file, "utf8")) as Kept;
    if ("failure" in kept) return kept;
    const isWhole = (name: string, index: number) => statSync(join(folder, name)).size === kept.bytes[index];
    return kept.install.files.every(isWhole) ? kept : null;
  } catch {
    return null; // Damaged: as if it were not there.
  }
}

/** L4: the folder appears under its name when all is in it, the record last. */
async function attempt(source: Source, folder: string, options: InstallOptions): Promise<Attempt> {
  const fresh = `${folder}.tmp-${process.pid}`;
  await removeLeftovers(folder);
  await mkdir(fresh);
  try {
    const kept = await make(source, fresh, options);
    await writeFile(join(fresh, record), JSON.stringify(kept));
    await rm(folder, { recursive: true, force: true });
    await rename(fresh, folder);
    return kept;
  } finally {
    await rm(fresh, { recursive: true, force: true });
  }
}

async function make(source: Source, fresh: string, options: InstallOptions): Promise<Kept> {
  const started = Date.now();
  try {
    const install = await source.install({ ...options, folder: fresh });
    await command(process.execPath, ["-e", loadsAddon, join(fresh, install.addon)], { timeoutMs: loadMs });
    options.log(`${source.name}: TensorFlow is set up after ${((Date.now() - started) / 1000).toFixed(0)} s`);
    const stats = await Promise.all(install.files.map((name) => stat(join(fresh, name))));
    return { install, bytes: stats.map(({ size }) => size) };
  } catch (thrown) {
    options.signal?.throwIfAborted();
    const failure = (thrown as Error).message;
    options.log(`${source.name}: ${failure}`);
    // Of a failed attempt only the reason is kept.
    await rm(fresh, { recursive: true, force: true });
    await mkdir(fresh);
    return { failure, atMs: Date.now() };
  }
}

/** Half-made folders of processes that were killed; under the lock, all that there are. */
async function removeLeftovers(folder: string): Promise<void> {
  const names = await readdir(dirname(folder));
  const left = names.filter((name) => name.startsWith(`${basename(folder)}.tmp-`));
  for (const name of left) await rm(join(dirname(folder), name), { recursive: true, force: true });
}
