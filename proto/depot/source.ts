/** What is put into a depot: bytes, or a file that is read piece by piece. */
import { createHash } from "node:crypto";
import { open } from "node:fs/promises";
import { LimbeckError } from "../../core/errors.ts";
import type { DepotContent, DepotFile } from "./depot.ts";

export interface Source extends DepotFile {
  /** In memory of their own, of this size but for the last. May be read more than once. */
  pieces(pieceBytes: number): AsyncIterable<Uint8Array>;
}

// Hashed in pieces small enough that the thread answers others between two of them.
const hashedBytes = 1 << 20;

/** @throws LimbeckError `corrupt` where the file is missing, `unavailable` where it cannot be read */
export async function sourceOf(content: DepotContent, signal: AbortSignal): Promise<Source> {
  const pieces = content instanceof Uint8Array ? piecesOf(content) : piecesOfFile(content.file);
  const hash = createHash("sha256");
  let bytes = 0;
  for await (const piece of pieces(hashedBytes)) {
    signal.throwIfAborted();
    hash.update(piece);
    bytes += piece.length;
  }
  return { bytes, sha256: hash.digest("hex"), pieces: firstOf(pieces, bytes) };
}

/** So many bytes: a file of lines may have grown since they were counted. */
function firstOf(pieces: Source["pieces"], bytes: number): Source["pieces"] {
  return async function* (pieceBytes) {
    let left = bytes;
    for await (const piece of pieces(pieceBytes)) {
      if (left === 0) return;
      const own = piece.subarray(0, left);
      left -= own.length;
      yield own;
    }
  };
}

function piecesOf(content: Uint8Array): Source["pieces"] {
  return async function* (pieceBytes) {
    for (let at = 0; at < content.length; at += pieceBytes) yield content.subarray(at, at + pieceBytes);
  };
}

export function piecesOfFile(path: string): Source["pieces"] {
  return async function* (pieceBytes) {
    try {
      await using file = await open(path, "r");
      for (;;) {
        const piece = new Uint8Array(pieceBytes);
        let filled = 0;
        // A read may give less than it was asked for.
        while (filled < pieceBytes) {
          const { bytesRead } = await file.read(piece, filled, pieceBytes - filled);
          if (bytesRead === 0) break;
          filled += bytesRead;
        }
        if (filled > 0) yield piece.subarray(0, filled);
        if (filled < pieceBytes) return;
      }
    } catch (cause) {
      if (cause instanceof LimbeckError) throw cause;
      const { code, message } = cause as NodeJS.ErrnoException;
      if (code === "ENOENT" || code === "ENOTDIR") throw new LimbeckError("corrupt", `${path} is missing`, { cause });
      throw new LimbeckError("unavailable", `cannot read ${path}: ${message}`, { cause });
    }
  };
}
