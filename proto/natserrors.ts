/** What goes wrong with NATS, in one sentence each. */
import { ErrorCode, NatsError } from "nats";
import { LimbeckError } from "../core/errors.ts";

/** JetStream's own numbers of errors (its `err_code`). */
export const jetStreamCodes = {
  nameInUse: 10058,
  noMessage: 10037,
  streamNotFound: 10059,
  wrongLastSequence: 10071,
} as const;

const fullCodes: ReadonlySet<number> = new Set([10002, 10023, 10028, 10047, 10077, 10122]);
const notEnabledCodes: ReadonlySet<number> = new Set([10039, 10076]);
const tooLargeCode = 10054;
export const tooFewServersCodes: ReadonlySet<number> = new Set([10005, 10074]);

/** JetStream's number of an error; undefined where it says nothing of the kind. */
export function jetStreamCode(thrown: unknown): number | undefined {
  return thrown instanceof NatsError ? thrown.api_error?.err_code : undefined;
}

/** There is no room for it: of its stream, its account, or the server. */
export function isFull(thrown: unknown): boolean {
  return fullCodes.has(jetStreamCode(thrown) ?? 0);
}

/** Whether the server may have done what it was asked: it, or the way to it, was away when the answer was due. */
export function isOutage(thrown: unknown): boolean {
  if (!(thrown instanceof NatsError)) return false;
  // No leader of the stream or of JetStream now: 503 without a number, or 10008.
  const code = thrown.api_error?.err_code;
  if (code !== undefined) return code === 10008 || code === 0;
  return outages.has(thrown.code);
}

const outages: ReadonlySet<string> = new Set([
  ErrorCode.Timeout,
  ErrorCode.NoResponders,
  ErrorCode.Disconnect,
  ErrorCode.ConnectionRefused,
  ErrorCode.ConnectionTimeout,
  ErrorCode.JetStream408RequestTimeout,
]);

/** Of the way to a server: the system's word, for the client of NATS passes it on. */
export function isUnreachable(thrown: unknown): boolean {
  return isUnknownName(thrown) || unreachable.has(systemCode(thrown));
}

/** In a cluster that starts names come with the servers that have them. */
export function isUnknownName(thrown: unknown): boolean {
  return systemCode(thrown) === "ENOTFOUND" || systemCode(thrown) === "EAI_AGAIN";
}

const unreachable: ReadonlySet<string> = new Set([
  "ECONNREFUSED",
  "ECONNRESET",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "EPIPE",
  "ETIMEDOUT",
]);

function systemCode(thrown: unknown): string {
  if (!(thrown instanceof Error) || thrown instanceof NatsError) return "";
  return String((thrown as NodeJS.ErrnoException).code ?? "");
}

/**
 * @param where "NATS at HOST:PORT"
 * @param doing what was refused: "the entry of the journal mnist-7f3a"
 */
export function natsFailure(thrown: unknown, where: string, doing: string): LimbeckError {
  if (thrown instanceof LimbeckError) return thrown;
  const cause = { cause: thrown };
  const unavailable = (text: string) => new LimbeckError("unavailable", text, cause);
  if (!(thrown instanceof NatsError)) return unavailable(`${where} failed at ${doing}: ${messageOf(thrown)}`);
  const { api_error: api, code, permissionContext } = thrown;
  const number = api?.err_code ?? 0;
  if (notEnabledCodes.has(number)) return unavailable(noJetStream(where));
  if (isFull(thrown))
    return unavailable(
      `${where} is full and refuses ${doing} (${api!.description}): give its stream or its disk more room`,
    );
  if (number === tooLargeCode || code === ErrorCode.MaxPayloadExceeded)
    return unavailable(
      `${where} refuses ${doing}, for it is too large: raise max_payload of the server, or the stream's max_msg_size`,
    );
  if (tooFewServersCodes.has(number))
    return unavailable(`${where} has too few servers with JetStream for ${doing} (${api!.description})`);
  if (code === ErrorCode.PermissionsViolation) {
    const { operation = "use", subject = "a subject" } = permissionContext ?? {};
    return unavailable(
      `${where} does not let this user ${operation} ${subject}, which ${doing} needs: add the permission`,
    );
  }
  if (isAuthentication(thrown)) return unavailable(wrongCredentials(where));
  if (isOutage(thrown)) return unavailable(`${where} does not answer for ${doing}`);
  return unavailable(`${where} refuses ${doing}: ${api?.description ?? thrown.message}`);
}

export function noJetStream(where: string): string {
  return `${where} has no JetStream: start it with -js (nats-server -js -sd DIR), or enable it for this account`;
}

export function isAuthentication(thrown: unknown): boolean {
  return thrown instanceof NatsError && authentication.has(thrown.code);
}

const authentication: ReadonlySet<string> = new Set([
  ErrorCode.AuthorizationViolation,
  ErrorCode.AuthenticationExpired,
  ErrorCode.BadAuthentication,
  ErrorCode.BadCreds,
  ErrorCode.AccountExpired,
]);

export function wrongCredentials(where: string): string {
  return `${where} does not accept these credentials: give a credentials file, or user:password@ or token@ in the URL`;
}

function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}
