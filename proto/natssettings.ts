/** What is given of NATS (URLs, a user, files), as its client takes it. */
import { readFile } from "node:fs/promises";
import { type ConnectionOptions, credsAuthenticator } from "nats";
import { LimbeckError } from "../core/errors.ts";
import type { NatsOptions } from "./nats.ts";
import { shownUrl } from "./shownurl.ts";

/** Between two attempts to connect. */
export const retryMs = 250;
/** A server that is stopped or cut off is found after two of these unanswered. */
const pingMs = 1_000;

/** For messages about a connection that is not there yet. @throws LimbeckError `usage` for a URL that is none */
export function natsAt(urls: readonly string[]): string {
  return whereOf(serversIn(urls));
}

export function whereOf(servers: readonly NatsServer[]): string {
  return `NATS at ${servers.map(({ host }) => host).join(", ")}`;
}

export interface NatsServer {
  readonly host: string;
  readonly isEncrypted: boolean;
  readonly user: string;
  readonly password: string;
}

/** @throws LimbeckError `usage`, which repeats no password */
export function serversIn(urls: readonly string[]): NatsServer[] {
  return urls.map((url) => {
    const server = serverOf(url.includes("://") ? url : `nats://${url}`);
    if (server) return server;
    // Said of all together: a password with a comma in it is in two of them.
    const needed = "nats://HOST:4222 is needed; in a user or a password / is written %2F, @ %40, % %25 and a comma %2C";
    throw new LimbeckError("usage", `${shownUrl(urls.join(","))} is not the URL of a NATS server: ${needed}`);
  });
}

function serverOf(url: string): NatsServer | null {
  if (!URL.canParse(url) || !/^(nats|tls):\/\/./.test(url)) return null;
  const { hostname, port, protocol, username, password, pathname, search, hash } = new URL(url);
  // What follows the host is the rest of a password.
  if (hostname === "" || !/^\/?$/.test(pathname) || search !== "" || hash !== "") return null;
  try {
    return {
      host: `${hostname}:${port || 4222}`,
      isEncrypted: protocol === "tls:",
      user: decodeURIComponent(username),
      password: decodeURIComponent(password),
    };
  } catch {
    return null; // A % that begins no character.
  }
}

/** @throws LimbeckError `usage` for no URL, and for a file that cannot be read */
export async function settingsOf(options: NatsOptions, servers: readonly NatsServer[]): Promise<ConnectionOptions> {
  if (servers.length === 0) throw new LimbeckError("usage", "no URL of a NATS server is given");
  const given = options.credentials === undefined ? options.user : undefined;
  const usual = { user: given?.name ?? "", password: given?.password ?? "" };
  const { user, password } = servers.find(({ user }) => user !== "") ?? usual;
  const secret = password !== "" ? { user, pass: password } : user !== "" ? { token: user } : {};
  return {
    servers: servers.map(({ host }) => host),
    name: options.name,
    timeout: 2_000,
    pingInterval: pingMs,
    maxPingOut: 2,
    maxReconnectAttempts: -1,
    reconnectTimeWait: retryMs,
    reconnectJitter: retryMs,
    // Credentials that are wrong for a while (a server with another configuration) end no coordinator.
    ignoreAuthErrorAbort: true,
    ...(servers.some(({ isEncrypted }) => isEncrypted) || options.ca !== undefined
      ? { tls: await authorityOf(options.ca) }
      : {}),
    ...secret,
    ...(options.credentials === undefined ? {} : { authenticator: await authenticatorOf(options.credentials) }),
  };
}

async function authorityOf(file: string | undefined): Promise<{ ca?: string }> {
  if (file === undefined) return {};
  try {
    return { ca: await readFile(file, "utf8") };
  } catch (cause) {
    throw new LimbeckError("usage", `--nats-ca: ${file} cannot be read`, { cause });
  }
}

async function authenticatorOf(file: string) {
  let bytes: Buffer;
  try {
    bytes = await readFile(file);
  } catch (cause) {
    throw new LimbeckError("usage", `the credentials file ${file} cannot be read`, { cause });
  }
  if (!bytes.includes("BEGIN NATS USER JWT"))
    throw new LimbeckError("usage", `${file} is no credentials file of NATS: it has no USER JWT`);
  return credsAuthenticator(bytes);
}
