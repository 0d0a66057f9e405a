/** Why calls come to nothing: gRPC says only that nobody is there, so hands are shaken once more, to see. */
import { constants } from "node:os";
import { type ConnectionOptions, connect, type PeerCertificate } from "node:tls";

/** What a server is asked to show, and what is shown to it; null: no TLS is spoken. */
export type Shown = Pick<ConnectionOptions, "ca" | "cert" | "key" | "servername"> & {
  checkServerIdentity(host: string, certificate: PeerCertificate): Error | undefined;
};

interface HandshakeError extends NodeJS.ErrnoException {
  readonly reason?: string;
}

const give = "give --tls-ca, --tls-cert and --tls-key";

/**
 * @param whom in words, with its address
 * @returns a sentence; empty where nothing is wrong, or nobody listens
 */
export function handshakeProblem(
  whom: string,
  address: string,
  { shown, timeoutMs }: { readonly shown: Shown | null; readonly timeoutMs: number },
): Promise<string> {
  const host = address.replace(/:\d+$/, "");
  const to = { host: host.replace(/^\[(.*)\]$/, "$1"), port: Number(address.slice(host.length + 1)) };
  return new Promise((resolve) => {
    const socket = connect({ ...to, ALPNProtocols: ["h2"], ...(shown ?? { rejectUnauthorized: false }) });
    let isShaken = false;
    const settle = (problem: string) => {
      resolve(problem);
      socket.destroy();
    };
    socket.setTimeout(timeoutMs, () => settle(""));
    socket.once("secureConnect", () => {
      isShaken = true;
      if (!shown) settle(`${whom} speaks TLS: ${give}`);
    });
    // Whether it takes our certificate a server of TLS 1.3 says after its own handshake: its first words decide.
    if (shown) socket.once("data", () => settle(""));
    socket.once("close", () => settle(shown && isShaken ? `${whom} refuses the certificate in --tls-cert` : ""));
    socket.on("error", (error: HandshakeError) => settle(problemOf(whom, error, { shown, isShaken })));
  });
}

function problemOf(
  whom: string,
  error: HandshakeError,
  { shown, isShaken }: { readonly shown: Shown | null; readonly isShaken: boolean },
): string {
  const { code = "", reason = error.message } = error;
  const isOfNetwork = (code in constants.errno && code !== "EPROTO") || code.startsWith("EAI_") || code === "ENOTFOUND";
  if (isOfNetwork) return shown && isShaken ? `${whom} refuses the certificate in --tls-cert` : "";
  const isAlert = /alert/i.test(`${code} ${reason}`);
  if (!shown) return isAlert ? `${whom} speaks TLS: ${give}` : "";
  if (isAlert) return `${whom} refuses the certificate in --tls-cert: ${reason}`;
  if (code === "EPROTO" || code.startsWith("ERR_SSL_"))
    return `${whom} does not speak TLS: start it with --tls-ca, --tls-cert and --tls-key, or leave them out here`;
  if (code === identityCode) return error.message;
  const isUnknown = /SELF_SIGNED|ISSUER|VERIFY/.test(code);
  const why = isUnknown ? "it is not signed by an authority in --tls-ca" : reason;
  return `the certificate of ${whom} is refused: ${why}`;
}

/** Of an error whose message is a sentence of ours. */
export const identityCode = "LIMBECK_IDENTITY";
