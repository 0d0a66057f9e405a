/** Payloads as files in /dev/shm: workers of one host move gradients at memory speed instead of through sockets. */
import { closeSync, ftruncateSync, mkdtempSync, openSync, readdirSync, readSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";
import { LimbeckError } from "../../core/errors.ts";
import { isAlive, pidNamespace } from "../../proto/liveness.ts";
import { sharedMemoryFolder } from "./host.ts";
import { checksummed, type Payload } from "./payload.ts";

const prefix = "limbeck-";

export interface SharedFile {
  readonly path: string;
  readonly checksum: number;
}

export class SharedFiles {
  readonly #folder: string;
  readonly #open = new Map<string, number>();
  #closed = false;

  private constructor(folder: string) {
    this.#folder = folder;
  }

  /**
   * Makes this process's folder and removes those of processes that died without doing so.
   * @throws where there is no such file system, or no room
   */
  static create(root: string = sharedMemoryFolder): SharedFiles {
    const space = pidNamespace();
    sweep(root, space);
    // Only our own user may read gradients.
    return new SharedFiles(mkdtempSync(join(root, `${prefix}${space}-${process.pid}-`)));
  }

  /**
   * Writes the payload whole over what the file of that name held: its memory is reused every step. Who may still be
   * reading the old content finds the checksum wrong; in a term nobody is (see Exchange).
   * @throws ENOSPC where /dev/shm is full
   */
  async write(name: string, payload: Payload): Promise<SharedFile> {
    if (this.#closed) throw new LimbeckError("stopped", "this worker's files in shared memory are gone: it leaves");
    const path = join(this.#folder, name);
    let file = this.#open.get(name);
    if (file === undefined) {
      file = openSync(path, "w", 0o600);
      this.#open.set(name, file);
    }
    const target = file;
    let offset = 0;
    try {
      const checksum = await checksummed(payload, (piece) => {
        for (let done = 0; done < piece.byteLength; ) {
          const written = writeSync(target, piece, done, piece.byteLength - done, offset);
          done += written;
          offset += written;
        }
      });
      return { path, checksum };
    } catch (thrown) {
      if (!this.#closed) ftruncateSync(target);
      throw thrown;
    }
  }

  close(): void {
    this.#closed = true;
    for (const file of this.#open.values()) closeSync(file);
    this.#open.clear();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

/**
 * Reads the file a peer's header names.
 * @param fill calls its argument with every piece to be filled, and gives the checksum of all
 * @throws corrupt where there is no such file, it is not one of a peer's, or it is too short
 */
export async function readSharedFile(
  { shmPath, shmOffset }: { shmPath: string; shmOffset: number },
  fill: (read: (piece: Uint8Array) => void) => Promise<number>,
  whom: string,
): Promise<number> {
  const corrupt = (what: string) => new LimbeckError("corrupt", `${whom} ${what}`);
  if (!isSharedFile(shmPath)) throw corrupt(`names ${shmPath}, which is no file of a peer`);
  let file: number;
  try {
    file = openSync(shmPath, "r");
  } catch (cause) {
    throw corrupt(`cannot be read from ${shmPath}: ${(cause as Error).message}`);
  }
  try {
    let offset = shmOffset;
    return await fill((piece) => {
      const read = readSync(file, piece, 0, piece.byteLength, offset);
      if (read !== piece.byteLength) throw corrupt(`broke off in ${shmPath} at byte ${offset + read}`);
      offset += read;
    });
  } finally {
    closeSync(file);
  }
}

/** A peer may name only files of this kind. */
function isSharedFile(path: string, root: string = sharedMemoryFolder): boolean {
  return path.startsWith(join(root, prefix)) && !path.includes("..");
}

function sweep(root: string, space: string): void {
  for (const name of readdirSync(root)) {
    const pid = new RegExp(`^${prefix}${space}-(\\d+)-`).exec(name)?.[1];
    if (pid !== undefined && !isAlive(Number(pid))) rmSync(join(root, name), { recursive: true, force: true });
  }
}
