/** What the processes that have ports have in common: who may come in, who may look, and how they tell of NATS. */
import { type Command, Option } from "commander";
import { isLoopback } from "../core/security/loopback.ts";
import { type Endpoint, hostPort } from "../proto/endpoint.ts";
import { type HealthPort, serveHealth } from "../proto/health.ts";
import type { NatsChange } from "../proto/nats.ts";
import { openSecurity, type Security } from "../proto/security/security.ts";
import { followHttpToken, type HttpAccess, httpAccess } from "../proto/telemetry/httpaccess.ts";
import type { Log } from "../proto/telemetry/log.ts";
import { endpoint } from "./options.ts";
import { type GivenSecurity, securityOf } from "./security.ts";

export interface GivenPages {
  readonly http: Endpoint;
  readonly httpTokenFile?: string;
  readonly health?: Endpoint;
}

/** Adds the options of a process that serves pages; `openPages` reads them. */
export function withPages(command: Command): Command {
  return command
    .addOption(
      new Option(
        "--http-token-file <file>",
        "of a token that --http asks for: a browser in a form, others as a bearer token; /healthz and /readyz stay open",
      ),
    )
    .option("--health <host:port>", "where gRPC's health service is served without TLS, for probes", endpoint);
}

export interface OpenPages {
  readonly access: HttpAccess | undefined;
  /** NOT_SERVING until it is set; null where none is wanted. */
  readonly health: HealthPort | null;
  close(): void;
}

/** @throws LimbeckError `usage` for the token's file, `unavailable` where the port of --health cannot be had */
export async function openPages({ http, httpTokenFile, health }: GivenPages, log: Log): Promise<OpenPages> {
  const told = (level: "info" | "warn", why: string) => log[level]({ event: "security" }, why);
  const token = httpTokenFile === undefined ? null : followHttpToken(httpTokenFile, told);
  if (!token && !isLoopback(http.host)) {
    const at = hostPort(http.host, http.port);
    told(
      "warn",
      `--http ${at}: whoever reaches it may read the job's page, status and metrics; --http-token-file asks for a token`,
    );
  }
  const opened = health ? await serveHealth(health) : null;
  if (opened) log.info({ event: "health", address: opened.address }, `gRPC's health service is at ${opened.address}`);
  return {
    access: token ? httpAccess(token) : undefined,
    health: opened,
    close() {
      token?.close();
      opened?.close();
    },
  };
}

/** Throws as openSecurity. */
export function securityFor(given: GivenSecurity, log: Log): Security {
  return openSecurity(securityOf(given), (level, why) => log[level]({ event: "security" }, why));
}

/** How a log tells that NATS is waited for, and that it is there (L7). */
export function toldOfNats(log: Log): (change: NatsChange) => void {
  return ({ kind, why }) => log[kind === "back" ? "info" : "warn"]({ event: `nats-${kind}` }, why);
}
