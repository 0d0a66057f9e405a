/**
 * The one error type. `code` is from a closed list, so callers branch on it and never on text;
 * the message is one sentence a user can act on; `exitCode` follows from the code.
 */
export const errorCodes = [
  "usage", // a wrong command line
  "bad_job", // the job file: unknown key, wrong type, out of range, contradiction
  "bad_data", // a dataset that is missing, truncated or does not fit the job
  "bad_model", // a model that cannot be loaded, built or does not fit the job
  "engine_unavailable", // the compute engine that was asked for is not to be had
  "unavailable", // a peer, port, disk or service that should have answered
  "server_away", // a server that a teacher asks does not answer now; it may later
  "timeout", // a wait ran past its deadline (L7)
  "not_leader", // a coordinator that stands by: another decides
  "not_allowed", // the certificate or the token of who calls does not allow it
  "stale_term", // a message of another term (L3)
  "wrong_key", // soft targets made for another key (L6)
  "corrupt", // a checksum, digest or length that does not match
  "diverged", // replicas that should be equal are not, or a loss is not finite
  "lost_worker", // a worker the job cannot go on without
  "stopped", // an orderly stop asked for by the user
  "internal", // a broken invariant of our own
] as const;

export type LimbeckErrorCode = (typeof errorCodes)[number];

const usageCodes: ReadonlySet<LimbeckErrorCode> = new Set(["usage", "bad_job"]);

export class LimbeckError extends Error {
  readonly code: LimbeckErrorCode;

  constructor(code: LimbeckErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = "LimbeckError";
    this.code = code;
  }

  /** 2 for what the user must change in the command line or job file, 1 for a failure. */
  get exitCode(): 1 | 2 {
    return usageCodes.has(this.code) ? 2 : 1;
  }
}

/** Anything thrown, as a LimbeckError: ours as it is, others as `internal` with their message and cause kept. */
export function asLimbeckError(thrown: unknown): LimbeckError {
  if (thrown instanceof LimbeckError) return thrown;
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  return new LimbeckError("internal", message, { cause: thrown });
}
