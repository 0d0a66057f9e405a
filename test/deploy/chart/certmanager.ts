/** What cert-manager makes of a rendering's Certificates: Secrets, which are folders with a file for each key here. */
import "reflect-metadata"; // x509 needs it before it is loaded.
import { KeyObject, webcrypto } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as x509 from "@peculiar/x509";
import type { Thing } from "./render.ts";

x509.cryptoProvider.set(webcrypto as Crypto);

export interface CertManager {
  /** By name. */
  readonly secrets: Readonly<Record<string, string>>;
  /** The specs of the Certificates, by their Secret. */
  readonly specs: ReadonlyMap<string, Thing>;
  /** Of a Certificate that is in no rendering. @returns the folder */
  issue(spec: Thing): Promise<string>;
}

/** @throws where a Certificate is of an issuer that is not in the rendering, or of one that may not issue */
export async function certManager(objects: readonly Thing[], folder: string): Promise<CertManager> {
  const specs = new Map<string, Thing>(
    objects.filter(({ kind }) => kind === "Certificate").map(({ spec }) => [spec.secretName, spec]),
  );
  const made = new Map<string, Promise<Issued>>();
  const secretOf = (name: string): Promise<Issued> => {
    const known = made.get(name) ?? issued(specs.get(name));
    made.set(name, known);
    return known;
  };
  const issued = async (spec: Thing): Promise<Issued> => {
    const { kind, name } = spec.issuerRef;
    const issuer = objects.find((each) => each.kind === kind && each.metadata.name === name);
    if (!issuer) throw new Error(`Certificate of ${spec.secretName}: there is no ${kind} ${name}`);
    return signed(spec, "selfSigned" in issuer.spec ? null : await secretOf(issuer.spec.ca.secretName));
  };
  const issue = async (spec: Thing) => written(join(folder, spec.secretName), await issued(spec));
  const secrets: Record<string, string> = {};
  for (const name of specs.keys()) secrets[name] = written(join(folder, name), await secretOf(name));
  return { secrets, specs, issue };
}

interface Issued {
  readonly certificate: x509.X509Certificate;
  readonly keys: CryptoKeyPair;
  /** Whom it is signed by at the last. */
  readonly authority: x509.X509Certificate;
}

/** @param by null: itself */
async function signed(spec: Thing, by: Issued | null): Promise<Issued> {
  if (by && by.certificate.getExtension(x509.BasicConstraintsExtension)?.ca !== true)
    throw new Error(`Certificate of ${spec.secretName}: its issuer is no authority`);
  const keys = (await webcrypto.subtle.generateKey(algorithmOf(spec), true, ["sign", "verify"])) as CryptoKeyPair;
  const nowMs = Date.now();
  const certificate = await x509.X509CertificateGenerator.create({
    subject: spec.commonName ? `CN=${spec.commonName}` : "",
    issuer: by?.certificate.subject ?? `CN=${spec.commonName}`,
    notBefore: new Date(nowMs),
    notAfter: new Date(nowMs + hoursOf(spec.duration ?? "2160h") * 3_600_000),
    signingAlgorithm: { ...(by?.keys ?? keys).privateKey.algorithm, hash: "SHA-256" },
    publicKey: keys.publicKey,
    signingKey: (by?.keys ?? keys).privateKey,
    extensions: await extensionsOf(spec, { own: keys.publicKey, issuers: (by?.keys ?? keys).publicKey }),
  });
  return { certificate, keys, authority: by?.authority ?? certificate };
}

/** As the keys of a Secret of type kubernetes.io/tls are called. */
function written(folder: string, { certificate, keys, authority }: Issued): string {
  mkdirSync(folder, { recursive: true });
  const key = KeyObject.from(keys.privateKey as webcrypto.CryptoKey);
  // Not PKCS #8, if it is not told to.
  const type = key.asymmetricKeyType === "rsa" ? "pkcs1" : "sec1";
  writeFileSync(join(folder, "tls.key"), key.export({ type, format: "pem" }));
  writeFileSync(join(folder, "tls.crt"), `${certificate.toString("pem")}\n`);
  writeFileSync(join(folder, "ca.crt"), `${authority.toString("pem")}\n`);
  return folder;
}

function algorithmOf({
  privateKey: { algorithm = "RSA", size } = {} as Thing,
}: Thing): EcKeyGenParams | RsaHashedKeyGenParams {
  if (algorithm === "ECDSA") return { name: "ECDSA", namedCurve: `P-${size ?? 256}` };
  if (algorithm !== "RSA") throw new Error(`a private key of ${algorithm} is not made here`);
  const publicExponent = new Uint8Array([1, 0, 1]);
  return { name: "RSASSA-PKCS1-v1_5", modulusLength: size ?? 2048, publicExponent, hash: "SHA-256" };
}

/** Of a duration as Go writes it, in whole hours. */
function hoursOf(duration: string): number {
  const [, hours] = /^(\d+)h(?:0m)?(?:0s)?$/.exec(duration) ?? [];
  if (hours === undefined) throw new Error(`a duration of whole hours is needed, found ${duration}`);
  return Number(hours);
}

interface Keys {
  readonly own: CryptoKey;
  readonly issuers: CryptoKey;
}

const { KeyUsageFlags: flags, ExtendedKeyUsage: purposes } = x509;
const usageFlags: Readonly<Record<string, number>> = {
  "digital signature": flags.digitalSignature,
  "key encipherment": flags.keyEncipherment,
  "cert sign": flags.keyCertSign,
};
const usagePurposes: Readonly<Record<string, string>> = {
  "server auth": purposes.serverAuth,
  "client auth": purposes.clientAuth,
};

async function extensionsOf(spec: Thing, { own, issuers }: Keys): Promise<x509.Extension[]> {
  const { isCA = false, usages = ["digital signature", "key encipherment"] } = spec;
  const all: string[] = [...usages, ...(isCA ? ["cert sign"] : [])];
  const unknown = all.filter((each) => !(each in usageFlags || each in usagePurposes));
  if (unknown.length > 0) throw new Error(`usages that are not known here: ${unknown.join(", ")}`);
  const bits = all.reduce((sum, each) => sum | (usageFlags[each] ?? 0), 0);
  const its = all.flatMap((each) => usagePurposes[each] ?? []);
  const names: x509.JsonGeneralNames = [
    ...(spec.uris ?? []).map((value: string) => ({ type: "url", value })),
    ...(spec.dnsNames ?? []).map((value: string) => ({ type: "dns", value })),
    ...(spec.ipAddresses ?? []).map((value: string) => ({ type: "ip", value })),
  ];
  return [
    new x509.BasicConstraintsExtension(isCA, undefined, true),
    ...(bits > 0 ? [new x509.KeyUsagesExtension(bits, true)] : []),
    ...(its.length > 0 ? [new x509.ExtendedKeyUsageExtension(its)] : []),
    ...(names.length > 0 ? [new x509.SubjectAlternativeNameExtension(names)] : []),
    await x509.SubjectKeyIdentifierExtension.create(own),
    await x509.AuthorityKeyIdentifierExtension.create(issuers),
  ];
}
