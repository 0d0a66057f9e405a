/** The client of S3, which is loaded when it is wanted, and what goes wrong with it, in one sentence without secrets. */
import { LimbeckError } from "../../core/errors.ts";

export interface S3Place {
  readonly bucket: string;
  /** Without slashes at its ends; empty for the whole bucket. */
  readonly prefix: string;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** A command by its name. null where it gets an object that is not there. @throws LimbeckError, and the signal's reason */
export type Command = (name: string, input: object, signal: AbortSignal) => Promise<unknown>;

interface S3Client {
  readonly where: string;
  readonly send: Command;
  /** The pieces of a body, whose failures are told as those of a command. */
  told(body: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array>;
  close(): void;
}

/** What of the package is used; it is optional, and so are its types. */
interface S3Package {
  readonly S3Client: new (
    options: object,
  ) => { send(command: object, options: object): Promise<unknown>; destroy(): void };
  readonly [command: string]: new (input: object) => object;
}

const packageName = "@aws-sdk/client-s3";
// L7. To be connected, and of silence in a request; each is tried again by the client, later and later.
const connectMs = 5_000;
const silenceMs = 30_000;
const attempts = 5;

export async function openS3({ bucket, prefix, env }: S3Place): Promise<S3Client> {
  const where = `s3://${bucket}${prefix === "" ? "" : `/${prefix}`}`;
  const sdk = await loadPackage(where);
  const endpoint = env["AWS_ENDPOINT_URL_S3"] || env["AWS_ENDPOINT_URL"];
  const region = env["AWS_REGION"] || env["AWS_DEFAULT_REGION"] || (endpoint ? "us-east-1" : undefined);
  const pathStyle = env["AWS_S3_FORCE_PATH_STYLE"];
  const client = new sdk.S3Client({
    ...(region !== undefined && { region }),
    ...(endpoint && { endpoint }),
    // Servers of one's own seldom have a name for each bucket.
    forcePathStyle: pathStyle ? pathStyle === "true" : Boolean(endpoint),
    maxAttempts: attempts,
    requestHandler: { connectionTimeout: connectMs, socketTimeout: silenceMs },
    // Other stores know no trailing checksums: what we send has its MD5, and what we get its sha256.
    requestChecksumCalculation: "WHEN_REQUIRED",
    responseChecksumValidation: "WHEN_REQUIRED",
  });
  const explained = (thrown: unknown) => explain(thrown, { where, host: hostOf(endpoint), env });
  return {
    where,
    async send(name, input, abortSignal) {
      abortSignal.throwIfAborted();
      try {
        return await client.send(new sdk[`${name}Command`]!(input), { abortSignal });
      } catch (thrown) {
        abortSignal.throwIfAborted();
        if (name === "GetObject" && nameOf(thrown) === "NoSuchKey") return null;
        throw explained(thrown);
      }
    },
    async *told(body) {
      try {
        for await (const piece of body) yield piece;
      } catch (thrown) {
        throw explained(thrown);
      }
    },
    close: () => client.destroy(),
  };
}

async function loadPackage(where: string): Promise<S3Package> {
  // Its advice about versions of Node is for who builds with it, not for every log of ours.
  process.env["AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED"] ??= "true";
  try {
    return (await import(packageName)) as S3Package;
  } catch (cause) {
    const message = `${where} needs the npm package ${packageName}, which is not installed here: npm install ${packageName}`;
    throw new LimbeckError("usage", message, { cause });
  }
}

const reasons: Readonly<Record<string, string>> = {
  NoSuchBucket: "there is no such bucket",
  AccessDenied: "access is denied: the credentials must allow to get, put, list and delete objects there",
  InvalidAccessKeyId: "its server does not know the credentials: look at AWS_ACCESS_KEY_ID",
  SignatureDoesNotMatch: "its server does not accept the credentials: look at AWS_SECRET_ACCESS_KEY",
  ExpiredToken: "the credentials have expired: AWS_SESSION_TOKEN must be renewed",
  CredentialsProviderError: "there are no credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE",
  PermanentRedirect: "the bucket is in another region: set AWS_REGION",
  AuthorizationHeaderMalformed: "the bucket is in another region: set AWS_REGION",
  SlowDown: "its server asks to slow down, also when it was asked again",
};

/**
 * The error as ours. The SDK's is not kept as its cause: it holds the request, whose headers have credentials.
 * What the server says is shown only where nothing better is known, and without any of ours.
 */
function explain(
  thrown: unknown,
  { where, host, env }: { where: string; host: string; env: S3Place["env"] },
): LimbeckError {
  if (thrown instanceof LimbeckError) return thrown;
  const name = nameOf(thrown);
  const { code = "", message = "" } = (thrown ?? {}) as NodeJS.ErrnoException;
  const unreachable = ["ECONNREFUSED", "ENOTFOUND", "EAI_AGAIN", "ECONNRESET", "ETIMEDOUT", "EHOSTUNREACH", "EPIPE"];
  const isSilent = name === "TimeoutError" || unreachable.includes(code) || message === "aborted";
  const why = isSilent ? `${host} cannot be reached (${code || name})` : (reasons[name] ?? `${name}: ${message}`);
  return new LimbeckError("unavailable", `${where}: ${withoutSecrets(why, env)}`);
}

function nameOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.name : "Error";
}

function withoutSecrets(text: string, env: S3Place["env"]): string {
  const secrets = ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"].flatMap((key) => env[key] || []);
  return secrets.reduce((shown, secret) => shown.replaceAll(secret, "…"), text);
}

/** host:port, without what else a URL may have. */
function hostOf(endpoint: string | undefined): string {
  return endpoint && URL.canParse(endpoint) ? new URL(endpoint).host : "its server";
}
