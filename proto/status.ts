/** LimbeckError <-> gRPC status. The code travels in the trailers, so it survives the coarser gRPC codes. */
import { Metadata, type ServiceError, type StatusObject, status } from "@grpc/grpc-js";
import { asLimbeckError, LimbeckError, type LimbeckErrorCode } from "../core/errors.ts";
import { told } from "../core/told.ts";
import { NotLeader } from "./notleader.ts";

const codeKey = "limbeck-code";
const leaderKey = "limbeck-leader";

const grpcCodes: Readonly<Record<LimbeckErrorCode, status>> = {
  usage: status.INVALID_ARGUMENT,
  bad_job: status.INVALID_ARGUMENT,
  bad_data: status.FAILED_PRECONDITION,
  bad_model: status.FAILED_PRECONDITION,
  engine_unavailable: status.FAILED_PRECONDITION,
  unavailable: status.UNAVAILABLE,
  server_away: status.UNAVAILABLE,
  timeout: status.DEADLINE_EXCEEDED,
  not_leader: status.UNAVAILABLE,
  not_allowed: status.PERMISSION_DENIED,
  stale_term: status.FAILED_PRECONDITION,
  wrong_key: status.FAILED_PRECONDITION,
  corrupt: status.DATA_LOSS,
  diverged: status.ABORTED,
  lost_worker: status.UNAVAILABLE,
  stopped: status.CANCELLED,
  internal: status.INTERNAL,
};

/** Of gRPC's own making: what its code means to us. */
const meanings: Partial<Record<status, LimbeckErrorCode>> = {
  [status.UNAVAILABLE]: "unavailable",
  [status.UNIMPLEMENTED]: "unavailable",
  [status.DEADLINE_EXCEEDED]: "timeout",
  [status.CANCELLED]: "stopped",
  [status.UNAUTHENTICATED]: "not_allowed",
  [status.PERMISSION_DENIED]: "not_allowed",
  [status.DATA_LOSS]: "corrupt",
};

/** True for a code of the closed list, from wherever it came. */
export function isErrorCode(text: string): text is LimbeckErrorCode {
  return Object.hasOwn(grpcCodes, text);
}

/** Of what is told in a header, in UTF-16 units. */
const longestTold = 4_000;

/** What a server answers with, for anything thrown. */
export function statusOf(thrown: unknown): StatusObject {
  const error = asLimbeckError(thrown);
  const { code } = error;
  // A message may quote what came, and what grpc-js cannot put into a header it throws where nobody catches it.
  const message = told(error.message, longestTold);
  const metadata = new Metadata();
  metadata.set(codeKey, code);
  if (error instanceof NotLeader) metadata.set(leaderKey, error.leader);
  return { code: grpcCodes[code], details: message, metadata };
}

/**
 * What a call threw, as a LimbeckError.
 * @param whom the one that was called, in words, for messages gRPC made itself
 */
export function errorOfCall(thrown: unknown, whom: string): LimbeckError {
  if (thrown instanceof LimbeckError || !isServiceError(thrown)) return asLimbeckError(thrown);
  const theirs = String(thrown.metadata?.get(codeKey)[0] ?? "");
  if (theirs === "not_leader") {
    return new NotLeader(String(thrown.metadata.get(leaderKey)[0] ?? ""), thrown.details, { cause: thrown });
  }
  if (isErrorCode(theirs)) return new LimbeckError(theirs, thrown.details, { cause: thrown });
  const code = meanings[thrown.code] ?? "internal";
  // What gRPC says of a deadline is of its own workings.
  if (code === "timeout") return new LimbeckError(code, `${whom}: no answer in time`, { cause: thrown });
  return new LimbeckError(code, `${whom}: ${thrown.details || thrown.message}`, { cause: thrown });
}

/** The other side's own words: its code came with them. Else the connection failed. */
export function isRefusal(thrown: unknown): boolean {
  return isServiceError(thrown) && isErrorCode(String(thrown.metadata?.get(codeKey)[0] ?? ""));
}

/** Of gRPC's own making: the other side has not spoken. */
export function isFailedCall(thrown: unknown): boolean {
  return isServiceError(thrown) && !isRefusal(thrown);
}

/** Of a call, or of what errorOfCall made of it: the other side has no such service. */
export function isUnimplemented(thrown: unknown): boolean {
  const cause = thrown instanceof LimbeckError ? thrown.cause : thrown;
  return isServiceError(cause) && cause.code === status.UNIMPLEMENTED && !isRefusal(cause);
}

function isServiceError(thrown: unknown): thrown is ServiceError {
  return thrown instanceof Error && "code" in thrown && typeof thrown.code === "number" && "details" in thrown;
}
