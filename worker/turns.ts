/** Long work over bytes in turns of the event loop, a few milliseconds each: no heartbeat is late for it (L7). */
import { createHash } from "node:crypto";
import { setImmediate } from "node:timers/promises";
import { bytesOf } from "./bytes.ts";

const turnBytes = 4 * 2 ** 20;

type Bytes = Float32Array | Uint8Array;

/** Calls `visit` with each piece of the views, in order. */
export async function inTurns(views: readonly Bytes[], visit: (piece: Uint8Array) => void): Promise<void> {
  let sinceTurn = 0;
  for (const { buffer, byteOffset, byteLength } of views) {
    for (let at = 0; at < byteLength; at += turnBytes) {
      const piece = new Uint8Array(buffer, byteOffset + at, Math.min(turnBytes, byteLength - at));
      if (sinceTurn + piece.byteLength > turnBytes) {
        await setImmediate();
        sinceTurn = 0;
      }
      visit(piece);
      sinceTurn += piece.byteLength;
    }
  }
}

/** Calls `work` with a pair of pieces of two vectors of equal length, piece by piece. */
export async function pairsInTurns(
  into: Float32Array,
  from: Float32Array,
  work: (into: Float32Array, from: Float32Array) => void,
): Promise<void> {
  const floats = turnBytes / Float32Array.BYTES_PER_ELEMENT;
  for (let at = 0; at < into.length; at += floats) {
    if (at > 0) await setImmediate();
    work(into.subarray(at, at + floats), from.subarray(at, at + floats));
  }
}

/** into = from; of equal size. */
export async function copyInTurns(into: Bytes, from: Bytes): Promise<void> {
  const target = bytesOf(into);
  let at = 0;
  await inTurns([from], (piece) => {
    target.set(piece, at);
    at += piece.byteLength;
  });
}

/** sha256 of the views, one after another, in hex. They must stay as they are until it is there. */
export async function sha256InTurns(views: readonly Bytes[]): Promise<string> {
  const hash = createHash("sha256");
  await inTurns(views, (piece) => hash.update(piece));
  return hash.digest("hex");
}
