/** The digest of a model that is files. */
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { readdir } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { sha256Hex } from "../artifacts/digest.ts";

/** sha256 over the sha256 of each file, in the order given: what the files are called does not count. */
export async function filesSha256(paths: readonly string[]): Promise<string> {
  const digests: string[] = [];
  for (const path of paths) {
    const hash = createHash("sha256");
    for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer);
    digests.push(hash.digest("hex"));
  }
  return sha256Hex(digests.join("\n"));
}

/** All files below a folder, by name. */
export async function filesBelow(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries.flatMap((entry) => (entry.isFile() ? [join(entry.parentPath, entry.name)] : [])).sort();
}

/** A file, and those beside it whose names go on from its own: where ONNX keeps weights of more than 2 GB. */
export async function fileAndAppendices(path: string): Promise<string[]> {
  const names = await readdir(dirname(path));
  return names
    .filter((name) => name.startsWith(basename(path)))
    .sort()
    .map((name) => join(dirname(path), name));
}
