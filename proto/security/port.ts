/** A gRPC server's port, plain or by mTLS. */

import { once } from "node:events";
import type { Http2Server } from "node:http2";
import type { AddressInfo, Socket } from "node:net";
import { createServer, type TLSSocket, type Server as TlsServer } from "node:tls";
import { logVerbosity, type Server, ServerCredentials, setLogVerbosity } from "@grpc/grpc-js";
import { type Endpoint, hostPort, portError } from "../endpoint.ts";
import { boundCalls, type CallLimits } from "../intake/calls.ts";
import { boundConnections } from "../intake/connections.ts";
import type { Certificates } from "./certificates.ts";
import type { Followed } from "./followed.ts";
import type { Refusals } from "./refusals.ts";

export interface ListeningPort {
  readonly port: number;
  /** Takes no more connections; those there are stay the server's. */
  close(): void;
}

/** Throws `unavailable` where the port cannot be had; the option `--listen` chooses another. */
export function listenPlain(
  server: Server,
  endpoint: Endpoint,
  { flag = "--listen", calls = {} }: { readonly flag?: string; readonly calls?: Partial<CallLimits> } = {},
): Promise<ListeningPort> {
  setLogVerbosity(logVerbosity.NONE); // What grpc-js would print of a busy port is in the error, too.
  return new Promise((resolve, reject) => {
    const at = hostPort(endpoint.host, endpoint.port);
    server.bindAsync(at, ServerCredentials.createInsecure(), (cause, port) => {
      if (cause) {
        reject(portError(endpoint, flag, cause));
        return;
      }
      for (const each of serversIn(server)) {
        boundConnections(each);
        boundCalls(each, calls);
      }
      resolve({ port, close() {} }); // The server's own shutdown closes it.
    });
  });
}

/** grpc-js has its HTTP/2 servers to itself, but bounds less than can be asked of it: without them a test fails. */
function serversIn(server: Server): Iterable<Http2Server> {
  return (server as unknown as { readonly http2Servers: ReadonlyMap<Http2Server, unknown> }).http2Servers.keys();
}

export interface TlsPort {
  readonly certificates: Followed<Certificates>;
  readonly refusals: Refusals;
  readonly calls: Partial<CallLimits>;
}

/** Of a handshake. */
const patienceMs = 10_000;

/**
 * The handshake is Node's, and what comes through it is given to grpc-js: so a renewed certificate is used for the next
 * connection, who is refused is told of, and nobody without a certificate reaches HTTP/2.
 */
export async function listenTls(
  server: Server,
  endpoint: Endpoint,
  { certificates, refusals, calls }: TlsPort,
): Promise<ListeningPort> {
  setLogVerbosity(logVerbosity.NONE);
  const injector = server.createConnectionInjector(ServerCredentials.createInsecure());
  for (const each of serversIn(server)) boundCalls(each, calls);
  const tls: TlsServer = createServer({
    ...contextOf(certificates.current),
    requestCert: true,
    rejectUnauthorized: true,
    ALPNProtocols: ["h2"],
    handshakeTimeout: patienceMs,
  });
  boundConnections(tls);
  tls.on("secureConnection", (socket: Shaken) => {
    if (socket._parent) peers.delete(socket._parent);
    socket.on("error", () => {}); // HTTP/2 sees it, too.
    injector.injectConnection(socket);
  });
  /** Of connections whose handshake is under way: a socket that is closed has no address any more. */
  const peers = new Map<Socket, string>();
  tls.on("connection", (socket: Socket) => {
    peers.set(socket, hostPort(socket.remoteAddress ?? "?", socket.remotePort ?? 0));
    socket.once("close", () => setImmediate(() => peers.delete(socket)));
  });
  tls.on("tlsClientError", (error: HandshakeError, socket: Shaken) => {
    const why = whyRefused(error, socket);
    const peer = socket._parent && peers.get(socket._parent);
    if (why !== "") refusals.told(peer ?? "somebody", why);
  });
  const unfollow = certificates.onChange((changed) => tls.setSecureContext(contextOf(changed)));
  try {
    tls.listen(endpoint.port, endpoint.host);
    await once(tls, "listening");
  } catch (cause) {
    unfollow();
    throw portError(endpoint, "--listen", cause as Error);
  }
  return {
    port: (tls.address() as AddressInfo).port,
    close() {
      unfollow();
      tls.close();
      for (const socket of peers.keys()) socket.destroy();
    },
  };
}

function contextOf({ ca, cert, key }: Certificates) {
  return { ca, cert, key, minVersion: "TLSv1.3" as const };
}

/** The socket under it, which knows how much came; Node does not promise it. */
type Shaken = TLSSocket & { readonly _parent?: Socket };

const brokenOff =
  "a connection is broken off in the handshake by who opened it, who does not trust the certificate shown here";

/** As Node.js and OpenSSL throw it. */
interface HandshakeError extends NodeJS.ErrnoException {
  readonly reason?: string;
}

/** Empty where a connection ended that said nothing: a probe of the port. */
function whyRefused({ code = "", reason = "", message }: HandshakeError, socket: Shaken): string {
  const found = String(socket.authorizationError ?? "");
  const refused = "a connection is refused:";
  if (found === "CERT_HAS_EXPIRED") return `${refused} its certificate has expired`;
  if (found === "CERT_NOT_YET_VALID") return `${refused} its certificate is not valid yet`;
  if (found !== "" && found !== "null")
    return `${refused} its certificate is not signed by an authority in --tls-ca (${found})`;
  if (code === "ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE") return `${refused} it shows no certificate`;
  if (code === "ERR_SSL_WRONG_VERSION_NUMBER" || code === "ERR_SSL_HTTP_REQUEST")
    return `${refused} it does not speak TLS`;
  if (/UNKNOWN_CA|CERTIFICATE_UNKNOWN|BAD_CERTIFICATE|CERTIFICATE_EXPIRED/.test(code)) return brokenOff;
  if (code === "ECONNRESET" || code === "EPIPE") return (socket._parent?.bytesRead ?? 0) > 0 ? brokenOff : "";
  return `${refused} the TLS handshake fails: ${reason || message}`;
}
