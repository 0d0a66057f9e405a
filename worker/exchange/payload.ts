/** Payloads: lists of byte views, their checksum, and reading them in pieces that keep the thread responsive. */
import { setImmediate } from "node:timers/promises";
import { checksum } from "../kernels/checksum.ts";

/** Views of memory that others own, one after another. */
export type Payload = readonly Uint8Array[];

/** Large enough that a message's fixed cost vanishes, small enough to stay in the second-level cache between copy and checksum. */
export const pieceBytes = 512 * 1024;

/** Work between two turns of the event loop, about 5 ms: a heartbeat is never late because a payload is large (L7). */
const turnBytes = 16 * 2 ** 20;

export function payloadBytes(payload: Payload): number {
  return payload.reduce((total, { byteLength }) => total + byteLength, 0);
}

/** The pieces of a payload in order. */
export function* pieces(payload: Payload): Generator<Uint8Array> {
  for (const view of payload) {
    for (let at = 0; at < view.byteLength; at += pieceBytes) yield view.subarray(at, at + pieceBytes);
  }
}

/** Memory for a payload, cut where the sender's views end: one view may be meant for so many equal ones. */
export function inParts(memory: Payload, views: number): Payload {
  const [into] = memory;
  if (views < 2 || memory.length > 1 || !into) return memory;
  const size = into.byteLength / views;
  return Array.from({ length: views }, (_, index) => into.subarray(index * size, (index + 1) * size));
}

/** Calls `visit` with every piece and gives the checksum of all of them, cut as `pieces` cuts. */
export async function checksummed(payload: Payload, visit: (piece: Uint8Array) => void): Promise<number> {
  let sum = 0;
  let sinceTurn = 0;
  for (const piece of pieces(payload)) {
    if (sinceTurn >= turnBytes) {
      await setImmediate();
      sinceTurn = 0;
    }
    visit(piece);
    sum = checksum(piece, sum);
    sinceTurn += piece.byteLength;
  }
  return sum;
}
