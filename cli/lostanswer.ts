/** A question that may have been heard, and whose answer never came. */
import { LimbeckError } from "../core/errors.ts";
import { Unanswered } from "../proto/absence.ts";

/** For `catch`. @param unknown what is not known now, and what the same command would do */
export function lostAnswer(unknown: string): (thrown: unknown) => never {
  return (thrown) => {
    if (!(thrown instanceof Unanswered)) throw thrown;
    throw new LimbeckError("timeout", `${thrown.message}: ${unknown}`, { cause: thrown.message });
  };
}
