/** The checksum of payloads between workers: finds damage, proves no origin. */

import type { KernelExports } from "./exports.ts";
import { instantiate } from "./kernels.ts";

const pageBytes = 65536;
/** Bytes come through here a piece at a time: it stays in the processor's cache. */
const pieceBytes = 4 * pageBytes;

let scratch: { readonly bytes: Uint8Array; readonly kernels: KernelExports } | undefined;

/**
 * 32-bit checksum of bytes anywhere, after what `previous` is the checksum of (0 for nothing). Both sides must cut
 * what they check at the same places.
 */
export function checksum(bytes: Uint8Array, previous: number): number {
  scratch ??= openScratch();
  let hash = previous;
  for (let at = 0; at < bytes.byteLength; at += pieceBytes) {
    const piece = bytes.subarray(at, at + pieceBytes);
    scratch.bytes.set(piece);
    hash = scratch.kernels.checksum(pageBytes, piece.byteLength, hash) >>> 0;
  }
  return hash;
}

function openScratch() {
  const pages = 1 + pieceBytes / pageBytes; // The first page is the kernels'.
  const memory = new WebAssembly.Memory({ initial: pages, maximum: 65536, shared: true });
  return { bytes: new Uint8Array(memory.buffer, pageBytes), kernels: instantiate(memory) };
}
