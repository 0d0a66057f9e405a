/** Where messages end in the bytes of a gRPC stream: each is a flag, its length (uint32 big-endian), and so many bytes. */

const headBytes = 5;

export class Framing {
  /** Bytes that have come of a message that is not complete; 0 between two. */
  partial = 0;
  #head = 0;
  #length = 0;
  #left = 0;

  /** @returns whether a message became complete with it */
  take(chunk: Uint8Array): boolean {
    let isOneComplete = false;
    for (let at = 0; at < chunk.length; ) {
      if (this.#head < headBytes) {
        if (this.#head > 0) this.#length = this.#length * 256 + chunk[at]!;
        this.#head += 1;
        this.partial += 1;
        at += 1;
        if (this.#head === headBytes) this.#left = this.#length;
      } else {
        const taken = Math.min(this.#left, chunk.length - at);
        this.#left -= taken;
        this.partial += taken;
        at += taken;
      }
      if (this.#head < headBytes || this.#left > 0) continue;
      isOneComplete = true;
      [this.#head, this.#length, this.partial] = [0, 0, 0];
    }
    return isOneComplete;
  }
}
