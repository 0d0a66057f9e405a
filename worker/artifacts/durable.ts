/**
 * L4: what must survive a crash is whole or absent. A file or folder is written under a temporary name beside its
 * place, every file and then the folder fsynced, and renamed into place; the folder above is fsynced last.
 */
import { createHash } from "node:crypto";
import { access, mkdir, open, rename, rm } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { LimbeckError } from "../../core/errors.ts";
import { makeFolder, syncFolder, writing } from "../../proto/files.ts";
import { leftoverPath, sweepLeftovers } from "./leftovers.ts";

export interface WrittenFile {
  readonly bytes: number;
  readonly sha256: string;
}

/** Writes one file of a folder in the making. */
export type WriteFile = (name: string, content: Content) => Promise<WrittenFile>;

/** Bytes, in parts or whole, or text. */
type Content = Uint8Array | readonly Uint8Array[] | string;

// Pieces small enough that the thread answers others between two of them.
const pieceBytes = 4 << 20;

/**
 * Writes a folder whole, in place of what was there. First removes what dead writers left beside it.
 * @param seal the file that is written last and tells a whole folder; a folder without it is not ours to replace
 * @param fill writes the files one after another, `seal` last
 * @throws LimbeckError `unavailable` naming the path and the cause; the folder is then as it was before
 */
export async function writeFolderWhole<T>(
  folder: string,
  seal: string,
  fill: (write: WriteFile) => Promise<T>,
): Promise<T> {
  return await fillFolderWhole(folder, seal, (temporary) =>
    fill((name, content) => writeSynced(join(temporary, name), content)),
  );
}

/** As `writeFolderWhole`, for what writes the files itself, each of them fsynced. @param fill is given the folder to fill */
export async function fillFolderWhole<T>(
  folder: string,
  seal: string,
  fill: (temporary: string) => Promise<T>,
): Promise<T> {
  const target = resolve(folder);
  return place(target, async (temporary) => {
    await sweepLeftovers(dirname(target));
    await mkdir(temporary);
    const result = await fill(temporary);
    await syncFolder(temporary);
    await moveOver(temporary, target, seal);
    return result;
  });
}

/** Runs `write` with a temporary path beside the target; makes the result last, or leaves nothing and says why. */
async function place<T>(target: string, write: (temporary: string) => Promise<T>): Promise<T> {
  const temporary = leftoverPath("tmp", target);
  return await writing(target, async () => {
    try {
      await makeFolder(dirname(target));
      const result = await write(temporary);
      await syncFolder(dirname(target));
      return result;
    } catch (cause) {
      await rm(temporary, { recursive: true, force: true }).catch(() => undefined);
      throw cause;
    }
  });
}

async function writeSynced(path: string, content: Content): Promise<WrittenFile> {
  const whole = typeof content === "string" ? new TextEncoder().encode(content) : content;
  const hash = createHash("sha256");
  let written = 0;
  await using file = await open(path, "wx");
  for (const bytes of whole instanceof Uint8Array ? [whole] : whole) {
    for (let start = 0; start < bytes.length; start += pieceBytes) {
      const piece = bytes.subarray(start, start + pieceBytes);
      hash.update(piece);
      await file.writeFile(piece);
      written += piece.length;
    }
  }
  await file.sync();
  return { bytes: written, sha256: hash.digest("hex") };
}

/** Puts a finished folder where another may be: no rename replaces a filled one, so that one is moved aside first. */
async function moveOver(finished: string, target: string, seal: string): Promise<void> {
  const isInTheWay = await rename(finished, target).then(
    () => false,
    (cause) => ["ENOTEMPTY", "EEXIST"].includes(codeOf(cause)) || Promise.reject(cause),
  );
  if (!isInTheWay) return;
  await access(join(target, seal)).catch(() => {
    throw new LimbeckError("unavailable", `${target} exists and has no ${seal}: move it away, it is not replaced`);
  });
  // Killed between the two renames: the next sweep puts the old folder back.
  const aside = leftoverPath("old", target);
  await rename(target, aside);
  try {
    await rename(finished, target);
  } catch (cause) {
    await rename(aside, target).catch(() => undefined);
    throw cause;
  }
  await rm(aside, { recursive: true, force: true });
}

/** Removes a folder so that at no moment half of it lies under its name. */
export async function removeFolderWhole(folder: string): Promise<void> {
  const target = resolve(folder);
  const aside = leftoverPath("tmp", target);
  await rename(target, aside);
  await rm(aside, { recursive: true, force: true });
}

/** The system's code of an error, such as ENOENT; empty where it has none. */
function codeOf(thrown: unknown): string {
  return thrown instanceof Error && "code" in thrown ? String(thrown.code) : "";
}
