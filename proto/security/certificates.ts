/** What --tls-ca, --tls-cert and --tls-key hold, checked by itself before anybody else refuses it. */
import { createPrivateKey, type KeyObject, X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { LimbeckError } from "../../core/errors.ts";
import { type Identity, identityOf } from "../../core/security/identity.ts";

export interface TlsFiles {
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}

export interface Certificates {
  /** PEM. */
  readonly ca: Buffer;
  readonly cert: Buffer;
  readonly key: Buffer;
  /** Null where the certificate has no name of ours. */
  readonly identity: Identity | null;
  /** Unix time in milliseconds. */
  readonly fromMs: number;
  readonly untilMs: number;
}

export const tlsFlags = { ca: "--tls-ca", cert: "--tls-cert", key: "--tls-key" } as const;

/** As a process finds them that shows them now. @throws as readCertificates, and as readFileSync */
export function certificatesOf(files: TlsFiles): Certificates {
  const parts = ["ca", "cert", "key"] as const;
  const texts = Object.fromEntries(parts.map((part) => [tlsFlags[part], readFileSync(files[part], "utf8")]));
  return readCertificates(files, texts, Date.now());
}

/** @throws LimbeckError `usage` with the option, the file, and what is wrong with it */
export function readCertificates(
  files: TlsFiles,
  texts: Readonly<Record<string, string>>,
  nowMs: number,
): Certificates {
  const [ca, cert, key] = (["ca", "cert", "key"] as const).map((part) => texts[tlsFlags[part]]!) as [
    string,
    string,
    string,
  ];
  const wrong = (part: keyof TlsFiles, why: string) =>
    new LimbeckError("usage", `${tlsFlags[part]}: ${files[part]} ${why}`);
  const authorities = certificatesIn(ca, () => wrong("ca", "holds no certificate of an authority in PEM"));
  const [own, ...between] = certificatesIn(cert, () => wrong("cert", "holds no certificate in PEM"));
  let privateKey: KeyObject;
  try {
    privateKey = createPrivateKey(key);
  } catch {
    throw wrong("key", "holds no private key in PEM that can be used without a password");
  }
  if (!holds(() => own!.checkPrivateKey(privateKey)))
    throw wrong("key", `is not the key of the certificate in ${files.cert}`);
  const [fromMs, untilMs] = [Date.parse(own!.validFrom), Date.parse(own!.validTo)];
  if (untilMs <= nowMs) throw wrong("cert", `expired at ${timeText(untilMs)}: renew it`);
  if (fromMs > nowMs) throw wrong("cert", `is not valid before ${timeText(fromMs)}: is this machine's clock right?`);
  if (!isSignedBy(own!, between, authorities))
    throw wrong("cert", `is not signed by an authority in ${files.ca}: both must be of the same cluster`);
  const pem = (text: string) => Buffer.from(text);
  return { ca: pem(ca), cert: pem(cert), key: pem(key), identity: identityOf(own!.subjectAltName), fromMs, untilMs };
}

export function timeText(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19)}Z`;
}

// No dash in between: of beginnings without an end each would be looked for to the end of the file.
const pemBlock = /-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g;

function certificatesIn(text: string, wrong: () => LimbeckError): X509Certificate[] {
  const blocks = text.match(pemBlock);
  if (!blocks) throw wrong();
  try {
    return blocks.map((block) => new X509Certificate(block));
  } catch {
    throw wrong();
  }
}

/** False, too, where a key in a certificate is of no kind that is known. */
function holds(claim: () => boolean): boolean {
  try {
    return claim();
  } catch {
    return false;
  }
}

const longestChain = 8;

function isSignedBy(
  own: X509Certificate,
  between: readonly X509Certificate[],
  authorities: readonly X509Certificate[],
): boolean {
  let at = own;
  for (let length = 0; length < longestChain; length++) {
    const signed = (by: X509Certificate) => holds(() => at.checkIssued(by) && at.verify(by.publicKey));
    if (authorities.some(signed)) return true;
    const next = between.find((each) => each !== at && signed(each));
    if (!next) return false;
    at = next;
  }
  return false;
}
