/** What is thrown where no coordinator has said yes or no, and which errors are that. */
import { LimbeckError, type LimbeckErrorCode } from "../core/errors.ts";
import { NotLeader } from "./notleader.ts";
import { isFailedCall, isUnimplemented } from "./status.ts";

/** Nobody has taken a connection: nothing was asked. */
export class Unreached extends LimbeckError {
  /** @param address host:port */
  constructor(address: string) {
    super("unavailable", `the coordinator at ${address} does not answer`);
  }
}

/** What was asked may have been heard, and done. */
export class Unanswered extends LimbeckError {}

/** What gRPC makes of a coordinator that is not there, does not answer, or closes under the call. */
const absences: readonly LimbeckErrorCode[] = ["unavailable", "timeout", "stopped"];

/** Nobody answered: neither yes nor no. @param error of the calls of leadercalls.ts */
export function isAbsence(error: unknown): error is LimbeckError {
  if (!(error instanceof LimbeckError)) return false;
  const isOfCall = isFailedCall(error.cause) && !isUnimplemented(error);
  return error instanceof Unreached || (absences.includes(error.code) && isOfCall);
}

/** Nobody decides now, or says so: who can wait asks again. */
export function isAway(error: unknown): boolean {
  return isAbsence(error) || error instanceof Unanswered || error instanceof NotLeader;
}
