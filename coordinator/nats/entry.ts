/**
 * Entries as messages: larger than the server takes in one, they travel in parts. Of the parts of one entry either all
 * come, one after the other, or the entry never was: its writer died, and another wrote after it.
 */

/** `led`: another leader writes from here on. `snapshot`: instead of all records before it. */
export type EntryKind = "led" | "record" | "snapshot";

export interface Entry {
  readonly kind: EntryKind;
  readonly fence: number;
  readonly text: string;
}

/** As it travels: one of several messages. */
export interface Part {
  readonly kind: EntryKind;
  readonly fence: number;
  /** From 1. */
  readonly part: number;
  readonly parts: number;
  readonly bytes: Uint8Array;
}

export function partsOf({ kind, fence, text }: Entry, mostBytes: number): Part[] {
  const bytes = Buffer.from(text);
  const parts = Math.max(1, Math.ceil(bytes.length / mostBytes));
  return Array.from({ length: parts }, (_, at) => ({
    kind,
    fence,
    part: at + 1,
    parts,
    bytes: bytes.subarray(at * mostBytes, (at + 1) * mostBytes),
  }));
}

/** Of a server with this max_payload; the rest is for headers. */
export function mostPartBytes(maxPayload: number): number {
  return Math.max(256, maxPayload - 1024);
}

export interface Assembly {
  /** @returns the entry that this part makes whole; null where more are to come, or its first parts are gone */
  add(part: Part): Entry | null;
  /** Entries of which parts were missing, so far; that which is not whole yet among them. */
  readonly torn: number;
}

export function newAssembly(): Assembly {
  let pending: Part[] = [];
  let torn = 0;
  return {
    add(part) {
      if (part.part === 1 && pending.length > 0) {
        torn += 1;
        pending = [];
      }
      // What a stream that drops its oldest has left of an entry.
      if (part.part !== pending.length + 1) return null;
      pending.push(part);
      if (part.part < part.parts) return null;
      const text = (
        pending.length === 1 ? Buffer.from(part.bytes) : Buffer.concat(pending.map(({ bytes }) => bytes))
      ).toString();
      pending = [];
      return { kind: part.kind, fence: part.fence, text };
    },
    get torn() {
      return torn + (pending.length > 0 ? 1 : 0);
    },
  };
}
