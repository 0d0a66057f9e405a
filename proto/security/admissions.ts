/**
 * The calls that tokens have let in, and what ends them: the token's revocation, the removal of the key it is signed with, and
 * its end. A worker's session alone outlives that: its token is for joining, and a job lasts longer than what is to be
 * short-lived.
 */
import { asLimbeckError, type LimbeckError } from "../../core/errors.ts";
import { type Token, tokenSkewMs } from "./token.ts";
import type { TokenCheck } from "./tokencheck.ts";

export interface Admissions {
  /**
   * @param end ends the call, with why
   * @returns to be called when it has ended by itself
   */
  admit(token: Token, text: string, end: (why: LimbeckError) => void): () => void;
}

interface Admitted {
  /** As of which it is looked at again; null: as of then. Unix time in milliseconds. */
  readonly asOfMs: number | null;
  readonly text: string;
  end(why: LimbeckError): void;
}

/** Timers wrap around above it. */
const longestMs = 2 ** 31 - 1;

export function openAdmissions(tokens: TokenCheck, now: () => number = Date.now): Admissions {
  const admitted = new Set<Admitted>();
  const lookAgain = (each: Admitted) => {
    try {
      tokens.check(each.text, each.asOfMs ?? now());
    } catch (thrown) {
      each.end(asLimbeckError(thrown));
    }
  };
  tokens.onChange(() => {
    for (const each of [...admitted]) lookAgain(each);
  });
  return {
    admit(token, text, end) {
      const asOfMs = token.role === "worker" ? now() : null;
      const each: Admitted = { asOfMs, text, end };
      admitted.add(each);
      const leftMs = token.untilMs + tokenSkewMs + 1 - now();
      const timer =
        asOfMs === null && leftMs <= longestMs ? setTimeout(() => lookAgain(each), leftMs).unref() : undefined;
      return () => {
        clearTimeout(timer);
        admitted.delete(each);
      };
    },
  };
}
