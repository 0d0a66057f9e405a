/** An authority of a cluster, and the certificates it signs: for trying TLS out. Who has an authority of one's own has no need of it. */
import "reflect-metadata"; // x509 needs it before it is loaded.
import { webcrypto } from "node:crypto";
import { isIP } from "node:net";
import * as x509 from "@peculiar/x509";
import { LimbeckError } from "../core/errors.ts";
import { identityUri, type Role } from "../core/security/identity.ts";

x509.cryptoProvider.set(webcrypto as Crypto);

export interface Pem {
  readonly certificate: string;
  /** PKCS #8. */
  readonly key: string;
}

export interface Validity {
  readonly fromMs: number;
  readonly untilMs: number;
}

export interface Leaf extends Validity {
  readonly cluster: string;
  readonly roles: readonly Role[];
  /** Names and addresses, for those that look at them. */
  readonly hosts: readonly string[];
}

const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" } as const;
const clientAndServer = [x509.ExtendedKeyUsage.serverAuth, x509.ExtendedKeyUsage.clientAuth];

export async function createAuthority(cluster: string, { fromMs, untilMs }: Validity): Promise<Pem> {
  const keys = await newKeys();
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    name: `CN=limbeck ${cluster} authority`,
    notBefore: new Date(fromMs),
    notAfter: new Date(untilMs),
    signingAlgorithm: algorithm,
    keys,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return pemOf(certificate, keys);
}

/** @throws LimbeckError `usage` where the authority cannot be read */
export async function createLeaf(authority: Pem, leaf: Leaf): Promise<Pem> {
  const { cluster, roles, hosts, fromMs, untilMs } = leaf;
  const keys = await newKeys();
  const [issuer, signingKey] = await readAuthority(authority);
  const uris = roles.length === 0 ? [identityUri(cluster, "")] : roles.map((role) => identityUri(cluster, role));
  const names: x509.JsonGeneralNames = [
    ...uris.map((value) => ({ type: "url" as const, value })),
    ...hosts.map((value) => ({ type: isIP(value) === 0 ? ("dns" as const) : ("ip" as const), value })),
  ];
  const certificate = await x509.X509CertificateGenerator.create({
    subject: `CN=limbeck ${cluster} ${roles.join(" ") || "member"}`,
    issuer: issuer.subject,
    notBefore: new Date(fromMs),
    notAfter: new Date(untilMs),
    signingAlgorithm: algorithm,
    publicKey: keys.publicKey,
    signingKey,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension(clientAndServer),
      new x509.SubjectAlternativeNameExtension(names),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
      await x509.AuthorityKeyIdentifierExtension.create(issuer.publicKey),
    ],
  });
  return pemOf(certificate, keys);
}

async function readAuthority({ certificate, key }: Pem): Promise<[x509.X509Certificate, CryptoKey]> {
  try {
    const der = x509.PemConverter.decodeFirst(key);
    const signingKey = await webcrypto.subtle.importKey("pkcs8", der, algorithm, false, ["sign"]);
    return [new x509.X509Certificate(certificate), signingKey as CryptoKey];
  } catch (cause) {
    throw new LimbeckError("usage", "the authority is none that `limbeck certs` made: ca.pem and ca.key are needed", {
      cause,
    });
  }
}

function newKeys(): Promise<CryptoKeyPair> {
  return webcrypto.subtle.generateKey(algorithm, true, ["sign", "verify"]) as Promise<CryptoKeyPair>;
}

async function pemOf(certificate: x509.X509Certificate, { privateKey }: CryptoKeyPair): Promise<Pem> {
  const der = await webcrypto.subtle.exportKey("pkcs8", privateKey as webcrypto.CryptoKey);
  return { certificate: `${certificate.toString("pem")}\n`, key: `${x509.PemConverter.encode(der, "PRIVATE KEY")}\n` };
}
