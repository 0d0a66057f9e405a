/** The files of weights that a model.json names, which anybody may have written: found below its folder, and nowhere else. */
import { realpath, stat } from "node:fs/promises";
import { dirname, isAbsolute, join, sep } from "node:path";
import { LimbeckError } from "../../core/errors.ts";
import { excerpt } from "../../core/words.ts";

export interface Shard {
  /** As model.json names it. */
  readonly name: string;
  readonly path: string;
  readonly bytes: number;
}

/**
 * Looks at them, and reads none. Links are followed: what they lead to must lie in the folder, too, or beside what
 * model.json itself is a link to.
 * @param groups their names, group by group
 * @throws LimbeckError `bad_model` for one that is missing, no file, elsewhere, or named twice
 */
export async function findShards(jsonPath: string, groups: readonly (readonly string[])[]): Promise<Shard[][]> {
  const homes = [await realpath(dirname(jsonPath)), dirname(await realpath(jsonPath))];
  const seen = new Set<string>();
  const found: Shard[][] = [];
  for (const names of groups) {
    const shards: Shard[] = [];
    for (const name of names) {
      const { real, ...shard } = await findShard(jsonPath, name, homes);
      if (seen.has(real)) throw refusal(jsonPath, name, "and has named that file before");
      seen.add(real);
      shards.push(shard);
    }
    found.push(shards);
  }
  return found;
}

const outside = "which lies outside of its folder: a path within it is needed";

/** @param homes real paths of the folders that it may lie in */
async function findShard(
  jsonPath: string,
  name: string,
  homes: readonly string[],
): Promise<Shard & { readonly real: string }> {
  const isWithin = !isAbsolute(name) && !name.split(/[/\\]/).includes("..") && !name.includes("\0");
  if (!isWithin) throw refusal(jsonPath, name, outside);
  const path = join(dirname(jsonPath), name);
  let real: string;
  try {
    real = await realpath(path);
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    const why = code === "ENOENT" || code === "ENOTDIR" ? "no such file" : message;
    throw new LimbeckError("bad_model", `cannot read weights that ${jsonPath} names at ${path}: ${why}`, { cause });
  }
  if (!homes.some((home) => real.startsWith(home + sep))) throw refusal(jsonPath, name, outside);
  const is = await stat(real);
  if (!is.isFile()) throw refusal(jsonPath, name, "which is no file");
  return { name, path, bytes: is.size, real };
}

function refusal(jsonPath: string, name: string, why: string): LimbeckError {
  const shown = JSON.stringify(excerpt(name));
  return new LimbeckError("bad_model", `${jsonPath} names weights at ${shown}, ${why}`);
}
