/**
 * Entries as messages: larger than the server takes in one, they travel in parts. Of the parts of one entry either all
 * come, one after the other, or the entry never was: its writer died, and another wrote after it.
 */

import type { Nats } from "../../proto/nats.ts";

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

/** The rest of what the server takes is for headers. */
export function mostPartBytes({ connection }: Nats): number {
  return Math.max(256, (connection.info?.max_payload ?? 2 ** 20) - 1024);
}

/** One header for all of it: reading it is most of what replaying a journal costs. */
export const entryHeader = "Limbeck-Entry";

export function headerOf({ fence, kind, part, parts }: Part): string {
  return `${fence} ${kind} ${part}/${parts}`;
}

/** Of a message that somebody else put there: fence 0. */
export function partFrom(header: string, bytes: Uint8Array): Part {
  const first = header.indexOf(" ");
  const second = header.indexOf(" ", first + 1);
  if (first < 0 || second < 0) return { fence: 0, kind: "record", part: 1, parts: 1, bytes };
  const kind = header.slice(first + 1, second) as EntryKind;
  const fence = Number(header.slice(0, first));
  // Nearly all of them; there are many.
  if (header.endsWith(" 1/1")) return { fence, kind, part: 1, parts: 1, bytes };
  const slash = header.indexOf("/", second);
  return { fence, kind, part: Number(header.slice(second + 1, slash)), parts: Number(header.slice(slash + 1)), bytes };
}

export interface Assembly {
  /** @returns the entry that this part makes whole; null where more are to come, or its first parts are gone */
  add(part: Part): Entry | null;
  /** Entries of which parts were missing, so far; that which is not whole yet among them. */
  readonly torn: number;
}

const decoder = new TextDecoder();

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
      if (part.parts === 1) return { kind: part.kind, fence: part.fence, text: decoder.decode(part.bytes) };
      pending.push(part);
      if (part.part < part.parts) return null;
      const text = decoder.decode(Buffer.concat(pending.map(({ bytes }) => bytes)));
      pending = [];
      return { kind: part.kind, fence: part.fence, text };
    },
    get torn() {
      return torn + (pending.length > 0 ? 1 : 0);
    },
  };
}
