/** Folders in the depot: files, and the one that is put last and tells a whole folder (L4). */
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { LimbeckError } from "../../core/errors.ts";
import type { Depot } from "../../proto/depot/depot.ts";

interface FolderPut {
  readonly folder: string;
  readonly key: string;
  readonly seal: string;
  /** The one that lies there is as good: it stays. */
  isSame?(there: Uint8Array, here: Uint8Array): boolean;
}

/** @throws as Depot.put; what is there then is whole, or has no seal */
export async function putFolder(
  depot: Depot,
  { folder, key, seal, isSame = isEqual }: FolderPut,
  signal: AbortSignal,
): Promise<void> {
  const sealKey = `${key}/${seal}`;
  const sealText = await sealOf(join(folder, seal));
  const there = await depot.list(key, signal);
  if (there.some((entry) => entry.key === sealKey)) {
    if (isSame(await depot.read(sealKey, signal), sealText)) return;
    // Before the first file that is another: at no moment has a whole folder files of two.
    await depot.removeOne(sealKey, signal);
  }
  const names = (await filesIn(folder)).filter((name) => name !== seal);
  for (const name of names) await depot.put(`${key}/${name}`, { file: join(folder, name) }, signal);
  const kept = new Set(names.map((name) => `${key}/${name}`));
  for (const entry of there)
    if (!kept.has(entry.key) && entry.key !== sealKey) await depot.removeOne(entry.key, signal);
  await depot.put(sealKey, sealText, signal);
}

async function sealOf(path: string): Promise<Uint8Array> {
  return await readFile(path).catch((cause) => {
    throw new LimbeckError("corrupt", `${path} is missing`, { cause });
  });
}

async function filesIn(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch((cause) => {
    throw new LimbeckError("corrupt", `${folder} is missing`, { cause });
  });
  return entries.flatMap((entry) => (entry.isFile() ? [entry.name] : []));
}

function isEqual(one: Uint8Array, other: Uint8Array): boolean {
  return Buffer.compare(one, other) === 0;
}
