/** Where the coordinator is that decides: for workers, and for who asks about jobs. */
import { type Endpoint, hostPort } from "./endpoint.ts";
import type { Security } from "./security/security.ts";

/** So long a process that has nothing to do meanwhile waits for who should be there. */
export const patienceMs = 600_000;

/** A coordinator may be replaced by another, elsewhere. */
export interface Whereabouts {
  /** For messages. */
  readonly where: string;
  /** Where one has gone another is elected: it is worth waiting for. */
  readonly isElected: boolean;
  /** Nobody tells when another decides: one that falls silent is to be found soon. */
  readonly isGuessed: boolean;
  /** How it is called; if not given, only on loopback. */
  readonly security?: Security;
  /** Resolves when it can be looked for; rejects with what makes that impossible. If not given, it can be at once. */
  readonly ready?: Promise<void>;
  /** host:port of the one to try; empty while none is known. */
  address(): string;
  /** The one that was tried does not answer, or stands by and names another. @param leader host:port, or empty */
  tried(leader: string): void;
  /** Calls back as soon as another is known to decide. @returns ends that */
  onMoved(moved: (address: string) => void): () => void;
}

/** Each in its turn, until one answers; who stands by names the one to ask. */
export function givenCoordinators(endpoints: readonly Endpoint[]): Whereabouts {
  return givenAddresses(endpoints.map(({ host, port }) => hostPort(host, port)));
}

/** @param addresses host:port each */
export function givenAddresses(addresses: readonly string[]): Whereabouts {
  let at = 0;
  let named = "";
  return {
    where: addresses.join(" or "),
    isElected: false,
    isGuessed: addresses.length > 1,
    address: () => named || addresses[at]!,
    tried(leader) {
      // Who was named and is not there may have been replaced: those that were given know.
      if (leader === "" && named === "") at = (at + 1) % addresses.length;
      named = leader;
    },
    onMoved: () => () => {},
  };
}
