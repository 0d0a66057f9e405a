/** TLS with a server: what its files hold, and why it comes to nothing where the server is not simply away. */
import { createPrivateKey, X509Certificate } from "node:crypto";
import { readFile } from "node:fs/promises";
import { isIP } from "node:net";
import { constants } from "node:os";
import { resolve } from "node:path";
import {
  checkServerIdentity,
  connect,
  createSecureContext,
  type PeerCertificate,
  type SecureContext,
  type SecureContextOptions,
} from "node:tls";
import { LimbeckError } from "../../core/errors.ts";
import type { TlsSpec } from "../../core/jobserver.ts";
import { reasonOf } from "../learn/reason.ts";

export interface Tls {
  readonly context: SecureContext;
  /** Whom the server's certificate must be for. */
  checkIdentity(host: string, certificate: PeerCertificate): Error | undefined;
  /** Sent as the name that is wanted; empty for an address. */
  readonly serverName: string;
}

/**
 * @param address host:port
 * @param folder what relative paths start from
 * @throws `bad_model` with the field and the file where it is missing or not what it should be
 */
export async function openTls(
  spec: TlsSpec,
  address: string,
  { folder, field }: { folder: string; field: string },
): Promise<Tls> {
  const [ca, cert, key] = await Promise.all(
    (["ca", "cert", "key"] as const).map(async (part) => {
      const given = spec[part];
      return given === undefined ? undefined : await contentOf(resolve(folder, given), `${field}.${part}`, part);
    }),
  );
  if (cert && key && !isKeyOf(cert, key)) {
    throw new LimbeckError("bad_model", `${field}.key: ${spec.key} is not the key of the certificate in ${spec.cert}`);
  }
  const name = spec.serverName ?? address.replace(/:\d+$/, "");
  return {
    context: contextOf({ ...(ca && { ca }), ...(cert && { cert }), ...(key && { key }) }, field),
    checkIdentity: (_, certificate) => checkServerIdentity(name, certificate),
    serverName: isIP(name) === 0 ? name : "",
  };
}

function isKeyOf(cert: Buffer, key: Buffer): boolean {
  try {
    return new X509Certificate(cert).checkPrivateKey(createPrivateKey(key));
  } catch {
    return false; // Of a kind that is not known here.
  }
}

function contextOf(files: SecureContextOptions, field: string): SecureContext {
  try {
    return createSecureContext(files);
  } catch (cause) {
    throw new LimbeckError("bad_model", `${field}: its files cannot be used for TLS: ${reasonOf(cause)}`, { cause });
  }
}

async function contentOf(path: string, field: string, part: "ca" | "cert" | "key"): Promise<Buffer> {
  let content: Buffer;
  try {
    content = await readFile(path);
  } catch (cause) {
    throw new LimbeckError("bad_model", `${field}: cannot be read: ${reasonOf(cause)}`, { cause });
  }
  try {
    if (part === "key") createPrivateKey(content);
    else new X509Certificate(content);
    return content;
  } catch (cause) {
    const what = part === "key" ? "no private key that can be used" : "no certificate";
    throw new LimbeckError("bad_model", `${field}: ${path} holds ${what} in PEM: ${reasonOf(cause)}`, { cause });
  }
}

/**
 * Shakes hands with a server that calls came to nothing with: gRPC says only that it is unavailable.
 * @param tls null where none is spoken
 * @returns what is wrong, after the field, and what would be right; null where nothing is, or the server is away
 */
export function handshakeProblem(address: string, tls: Tls | null, timeoutMs: number): Promise<string | null> {
  const host = address.replace(/:\d+$/, "");
  const to = {
    host: host.replace(/^\[(.*)\]$/, "$1"),
    port: Number(address.slice(host.length + 1)),
    ALPNProtocols: ["h2"],
  };
  const how = tls
    ? { secureContext: tls.context, servername: tls.serverName, checkServerIdentity: tls.checkIdentity }
    : { rejectUnauthorized: false };
  return new Promise((resolve) => {
    const socket = connect({ ...to, ...how });
    const settle = (problem: string | null) => {
      resolve(problem);
      socket.destroy();
    };
    socket.setTimeout(timeoutMs, () => settle(null));
    socket.once("close", () => settle(null));
    socket.on("error", (error: HandshakeError) => settle(tls && problemOf(address, error)));
    // Whether it wants a certificate of ours a server of TLS 1.3 says after its own handshake: its first words decide.
    if (tls) socket.once("data", () => settle(null));
    else
      socket.once("secureConnect", () =>
        settle(`${address} speaks TLS: give tls; {} where its certificate needs no more`),
      );
  });
}

/** As Node.js and OpenSSL throw it. */
interface HandshakeError extends NodeJS.ErrnoException {
  readonly reason?: string;
  /** Of a certificate for another: what was wanted, and what came. */
  readonly host?: string;
  readonly cert?: PeerCertificate;
}

/** What went wrong with a connection that there was; null where there was none. */
function problemOf(address: string, error: HandshakeError): string | null {
  const { code = "" } = error;
  const isOfNetwork = (code in constants.errno && code !== "EPROTO") || code.startsWith("EAI_") || code === "ENOTFOUND";
  if (isOfNetwork) return null;
  const reason = error.reason ?? reasonOf(error);
  if (/alert/i.test(`${code} ${reason}`)) {
    return `${address} breaks the handshake off: ${reason}: it may want cert and key of an authority that it knows`;
  }
  if (code === "EPROTO" || code.startsWith("ERR_SSL_")) {
    return `${address} does not speak TLS: ${reason}: leave tls out, or give the port where it does`;
  }
  if (code === "ERR_TLS_CERT_ALTNAME_INVALID") {
    const names = error.cert?.subjectaltname ?? error.cert?.subject.CN;
    return `the certificate of ${address} is for ${names}, not for ${error.host}: serverName says which is meant`;
  }
  const mend = /SELF_SIGNED|ISSUER|VERIFY/.test(code) ? ": ca must hold the authority that signed it" : "";
  return `the certificate of ${address} is refused: ${reason}${mend}`;
}
