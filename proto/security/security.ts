/** What a process may show others and asks of them: mTLS, tokens, roles; or, on loopback, nothing of it. */
import { credentials, InterceptingCall, type Interceptor, type Server, type ServerInterceptor } from "@grpc/grpc-js";
import { LimbeckError } from "../../core/errors.ts";
import { isLoopback, isLoopbackAddress } from "../../core/security/loopback.ts";
import { usualCluster } from "../cluster.ts";
import { type Endpoint, hostPort } from "../endpoint.ts";
import type { CallLimits } from "../intake/calls.ts";
import { type Certificates, readCertificates, type TlsFiles, timeText, tlsFlags } from "./certificates.ts";
import { type Called, certificateProvider, type Dialed, dialTls, shownTo } from "./dialing.ts";
import { type Followed, follow } from "./followed.ts";
import { guard, tokenHeader, tokenMetadata } from "./guard.ts";
import { handshakeProblem } from "./handshake.ts";
import { type ListeningPort, listenPlain, listenTls } from "./port.ts";
import { openRefusals } from "./refusals.ts";
import { openTokenCheck } from "./tokencheck.ts";

export interface SecurityOptions {
  /** Null: nothing is encrypted, which is for loopback. */
  readonly tls: TlsFiles | null;
  /** Plain off loopback, too: the network is trusted. */
  readonly insecure: boolean;
  /** Where the certificate names none. */
  readonly cluster: string;
  /** Of a token to send. */
  readonly tokenFile?: string;
  /** Of public keys, by which tokens are taken. */
  readonly tokenKey?: string;
  readonly revokedTokens?: string;
}

export type Told = (level: "info" | "warn", why: string) => void;

export interface Security {
  /** Gives the server its port. Throws `usage` off loopback without TLS, `unavailable` where the port cannot be had. */
  listen(server: Server, endpoint: Endpoint, calls?: Partial<CallLimits>): Promise<ListeningPort>;
  /** Come before what a server does for a call. */
  readonly guards: readonly ServerInterceptor[];
  /** @param address host:port. Throws `usage` off loopback without TLS */
  dial(whom: Called, address: string): Dialed;
  /** What a client sends along with every call to this address. */
  senders(address: string): readonly Interceptor[];
  /** Why nobody is reached at an address where somebody listens, in a sentence; else empty. */
  problem(whom: Called, address: string): Promise<string>;
  close(): void;
}

const probeMs = 2_000;

/** @throws LimbeckError `usage` where a file cannot be used */
export function openSecurity(options: SecurityOptions, told: Told, everyMs?: number): Security {
  const { tls: files, insecure, tokenFile, tokenKey } = options;
  const pace = everyMs === undefined ? {} : { everyMs };
  const certificates = files && followCertificates(files, { told, pace });
  const cluster = certificates?.current.identity?.cluster ?? options.cluster;
  const transport = certificates ? "tls" : "plain";
  const provider = certificates && certificateProvider(certificates);
  const token =
    tokenFile === undefined
      ? null
      : follow({
          files: { "--token-file": tokenFile },
          parse: ({ "--token-file": text }) => tokenIn(text!, tokenFile),
          told,
          ...pace,
        });
  const revokedFile = options.revokedTokens;
  const tokens =
    tokenKey === undefined ? null : openTokenCheck({ cluster, keyFile: tokenKey, revokedFile, told, ...pace });
  const refusals = openRefusals((why) => told("warn", why));
  // Whoever reaches a loopback port without TLS or keys is the operator.
  const isGuarded = certificates !== null || tokens !== null;
  const warned = new Set<string>();
  const allowPlain = (what: string, isOwn: boolean) => {
    if (isOwn) return;
    if (!insecure) throw new LimbeckError("usage", `${what} without TLS: ${remedy}`);
    if (warned.has(what)) return;
    warned.add(what);
    told("warn", `INSECURE: ${what} without TLS: whoever is on the network reads and may change what is said`);
  };

  return {
    async listen(server, endpoint, calls = {}) {
      if (certificates) return listenTls(server, endpoint, { certificates, refusals, calls });
      allowPlain(`${hostPort(endpoint.host, endpoint.port)} is listened on`, isLoopback(endpoint.host));
      return listenPlain(server, endpoint, { calls });
    },
    guards: isGuarded ? [guard({ cluster, transport, tokens, refusals })] : [],
    dial(whom, address) {
      if (provider) return dialTls(whom, address, { provider, cluster });
      allowPlain(`the ${whom} at ${address} is called`, isLoopbackAddress(address));
      return { credentials: credentials.createInsecure(), options: {} };
    },
    senders: (address) => (token && (certificates || isLoopbackAddress(address)) ? [sendToken(token)] : []),
    problem(whom, address) {
      const shown = certificates && shownTo(whom, address, { certificates: certificates.current, cluster });
      return handshakeProblem(`the ${whom} at ${address}`, address, { shown, timeoutMs: probeMs });
    },
    close() {
      certificates?.close();
      token?.close();
      tokens?.close();
    },
  };
}

const remedy =
  "give --tls-ca, --tls-cert and --tls-key (limbeck certs makes them for trying it), or --insecure where everybody on the network is trusted";

/** Nothing is shown and nothing asked: of a process that keeps to loopback. */
export const loopbackOnly: Security = openSecurity({ tls: null, insecure: false, cluster: usualCluster }, () => {});

function followCertificates(
  files: TlsFiles,
  { told, pace }: { readonly told: Told; readonly pace: { readonly everyMs?: number } },
): Followed<Certificates> {
  const parts = ["ca", "cert", "key"] as const;
  const followed = follow<Certificates>({
    files: Object.fromEntries(parts.map((part) => [tlsFlags[part], files[part]])),
    parse: (texts) => readCertificates(files, texts, Date.now()),
    told,
    ...pace,
  });
  const warn = () => {
    const { fromMs, untilMs } = followed.current;
    const leftMs = untilMs - Date.now();
    if (leftMs > (untilMs - fromMs) / 10) return;
    const how = leftMs > 0 ? `expires at ${timeText(untilMs)}` : "has expired: others refuse it";
    told("warn", `${files.cert} ${how}: renew it, no restart is needed`);
  };
  warn();
  const daily = setInterval(warn, lookMs).unref();
  return {
    ...followed,
    get current() {
      return followed.current;
    },
    close() {
      clearInterval(daily);
      followed.close();
    },
  };
}

const lookMs = 3_600_000;

function tokenIn(text: string, file: string): string {
  const token = text.trim();
  if (/^[\w.-]+$/.test(token)) return token;
  throw new LimbeckError("usage", `--token-file: ${file} holds no token: limbeck token create makes one`);
}

function sendToken(token: Followed<string>): Interceptor {
  return (options, nextCall) =>
    new InterceptingCall(nextCall(options), {
      start(metadata, listener, next) {
        metadata.set(tokenHeader, tokenMetadata(token.current));
        next(metadata, listener);
      },
    });
}
