/** Connecting to NATS: for coordinators, workers and the command line. Who needs more of it goes on with `connection`. */
import { setTimeout as sleep } from "node:timers/promises";
import { type ConnectionOptions, connect, Events, type NatsConnection } from "nats";
import { unlessAborted } from "../core/aborted.ts";
import { LimbeckError } from "../core/errors.ts";
import { isLoopbackAddress } from "../core/security/loopback.ts";
import type { NatsUser } from "./cluster.ts";
import {
  isAuthentication,
  isOutage,
  isUnknownName,
  isUnreachable,
  natsFailure,
  noJetStream,
  wrongCredentials,
} from "./natserrors.ts";
import { retryMs, serversIn, settingsOf, whereOf } from "./natssettings.ts";

export interface NatsOptions {
  /** nats://[user:password@|token@]HOST[:PORT], or tls://…; of one cluster. */
  readonly urls: readonly string[];
  /** Where the URLs name none, and no credentials file is given. */
  readonly user?: NatsUser | undefined;
  /** Path of a credentials file. */
  readonly credentials?: string | undefined;
  /** Path of a file with the authority (PEM) that has signed the server's certificate; else the public ones. */
  readonly ca?: string | undefined;
  /** Of the connection, as the server lists it. */
  readonly name: string;
  /** How long a server may take to answer the first time, until `unavailable`. */
  readonly deadlineMs?: number;
  readonly signal?: AbortSignal;
  /** Told when no server answers at first, or it is lost, and when it is there (L7); and where a password is sent in the clear. */
  readonly told?: (change: NatsChange) => void;
}

export interface NatsChange {
  readonly kind: "away" | "back" | "trouble" | "plain";
  /** A sentence. */
  readonly why: string;
}

export interface Nats {
  readonly connection: NatsConnection;
  /** For messages: "NATS at HOST:PORT"; without credentials. */
  readonly where: string;
  /** Since when the server is away, by performance.now(); null while there is one. */
  readonly awaySinceMs: number | null;
  /** Resolves while there is a server. @throws the signal's reason, `unavailable` when the connection is closed */
  reachable(signal?: AbortSignal): Promise<void>;
  close(): Promise<void>;
}

/** Before it, JetStream lacks what the journal and the lease rest on. */
export const neededVersion = "2.9.0";

const usualDeadlineMs = 10_000;
/** Before somebody is told that there is a wait: servers and those who need them are started together. */
const toldAfterMs = 1_000;

/**
 * Connects, and waits for a server with JetStream until the deadline; from then on the connection comes back by itself,
 * to whichever server there is.
 * @throws LimbeckError `usage` for a URL or a credentials file that cannot be read, and for credentials that are refused;
 * `unavailable` where nobody listens until the deadline, and at once where JetStream is off, or the server too old; the
 * signal's reason
 */
export async function connectNats(options: NatsOptions): Promise<Nats> {
  const { deadlineMs = usualDeadlineMs, signal, told = () => {} } = options;
  const servers = serversIn(options.urls);
  const where = whereOf(servers);
  const settings = await settingsOf(options, servers);
  const open = servers.find(({ host, isEncrypted }) => !isEncrypted && !isLoopbackAddress(host));
  if (open && !settings.tls && (settings.user !== undefined || settings.token !== undefined)) {
    const why = `NATS at ${open.host} is sent the password without TLS: whoever is on the network can read it; tls:// asks for TLS`;
    told({ kind: "plain", why });
  }
  const beganMs = performance.now();
  const waitedMs = () => performance.now() - beganMs;
  for (let isTold = false; ; ) {
    signal?.throwIfAborted();
    try {
      const nats = await connectOnce(settings, where, options);
      if (isTold) told({ kind: "back", why: `${where} is there after ${seconds(waitedMs())} s` });
      return nats;
    } catch (thrown) {
      signal?.throwIfAborted();
      const failure = connectFailure(thrown, where);
      if (!isPassing(thrown) || waitedMs() + retryMs > deadlineMs) throw failure;
      if (!isTold && waitedMs() > toldAfterMs) {
        const longest = `${Math.round(deadlineMs / 1_000)} s at the most`;
        told({ kind: "away", why: `waiting for ${where}, ${longest}: ${failure.message}` });
        isTold = true;
      }
    }
    await sleep(retryMs, undefined, signal ? { signal } : {}).catch(() => signal!.throwIfAborted());
  }
}

async function connectOnce(settings: ConnectionOptions, where: string, options: NatsOptions): Promise<Nats> {
  const connection = await connect(settings);
  try {
    options.signal?.throwIfAborted();
    checkVersion(connection, where);
    await checkJetStream(connection, where);
    return opened(connection, where, options);
  } catch (thrown) {
    await connection.close();
    throw thrown;
  }
}

/** Whether trying again may help: a server, or its name, that is yet to come; one that starts, or has no leader yet. */
function isPassing(thrown: unknown): boolean {
  if (isAuthentication(thrown)) return false;
  return isOutage(thrown) || isUnreachable(thrown) || (thrown instanceof LimbeckError && isOutage(thrown.cause));
}

function connectFailure(thrown: unknown, where: string): LimbeckError {
  if (thrown instanceof LimbeckError) return thrown;
  if (isAuthentication(thrown)) return new LimbeckError("usage", wrongCredentials(where), { cause: thrown });
  if (isOutage(thrown) || isUnreachable(thrown)) {
    const unknown = isUnknownName(thrown) ? ", for the name is not known here" : "";
    const why = `nobody answers as ${where}${unknown}: is nats-server running there?`;
    return new LimbeckError("unavailable", why, { cause: thrown });
  }
  return natsFailure(thrown, where, "the connection");
}

function checkVersion(connection: NatsConnection, where: string): void {
  const version = connection.info?.version ?? "0";
  if (!isOlder(version, neededVersion)) return;
  const needed = `${neededVersion} or newer is needed`;
  throw new LimbeckError("unavailable", `${where} is nats-server ${version}, which is too old: ${needed}`);
}

/** By the three numbers. */
export function isOlder(version: string, than: string): boolean {
  const numbers = (text: string) => text.split(/[.-]/, 3).map((part) => Number.parseInt(part, 10) || 0);
  const [a, b] = [numbers(version), numbers(than)];
  for (let at = 0; at < 3; at++) if (a[at] !== b[at]) return (a[at] ?? 0) < (b[at] ?? 0);
  return false;
}

async function checkJetStream(connection: NatsConnection, where: string): Promise<void> {
  try {
    const manager = await connection.jetstreamManager({ checkAPI: false, timeout: 3_000 });
    await manager.getAccountInfo();
  } catch (thrown) {
    // A server that has it says so also while it starts, or its cluster has no leader, and nobody answers yet.
    if (isOutage(thrown) && !connection.info?.jetstream) throw new LimbeckError("unavailable", noJetStream(where));
    throw natsFailure(thrown, where, "JetStream");
  }
}

function seconds(ms: number): string {
  return (ms / 1_000).toFixed(1);
}

function opened(connection: NatsConnection, where: string, { told = () => {} }: NatsOptions): Nats {
  let awaySinceMs: number | null = null;
  const waiting = new Set<() => void>();
  const wake = () => {
    for (const each of waiting) each();
    waiting.clear();
  };
  const watch = async () => {
    for await (const { type, data } of connection.status()) {
      if (type === Events.Disconnect && awaySinceMs === null) {
        awaySinceMs = performance.now();
        told({ kind: "away", why: `${where} is away: waiting for it` });
      } else if (type === Events.Reconnect) {
        const awayMs = performance.now() - (awaySinceMs ?? performance.now());
        awaySinceMs = null;
        wake();
        told({ kind: "back", why: `${where} is back after ${seconds(awayMs)} s: connected to ${data}` });
      } else if (type === Events.Error) told({ kind: "trouble", why: `${where} says: ${data}` });
    }
  };
  void watch();
  void connection.closed().then(wake);
  return {
    connection,
    where,
    get awaySinceMs() {
      return awaySinceMs;
    },
    async reachable(signal) {
      while (awaySinceMs !== null && !connection.isClosed()) {
        const changed = new Promise<void>((resolve) => waiting.add(resolve));
        await (signal ? unlessAborted(changed, signal) : changed);
      }
      if (connection.isClosed()) throw new LimbeckError("unavailable", `the connection to ${where} is closed`);
    },
    close: () => connection.close(),
  };
}
