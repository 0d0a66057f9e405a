/** PEM: certificates and keys of processes, and of a model server. */
import "reflect-metadata"; // x509 needs it before it is loaded.
import { createPublicKey, webcrypto } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import * as x509 from "@peculiar/x509";
import { LimbeckError } from "../../../../core/errors.ts";
import { identityUri } from "../../../../core/security/identity.ts";
import { readCertificates, timeText, tlsFlags } from "../../../../proto/security/certificates.ts";
import { openTls } from "../../../../worker/inference/tls.ts";
import { type Folder, type Nasty, promise, type Target, textFolder, withFiles } from "../target.ts";
import { ed25519Key } from "./token.ts";

const nowMs = 1_700_000_000_000;
const names = { ca: "ca.pem", cert: "cert.pem", key: "key.pem" } as const;
const algorithm = { name: "Ed25519" };
const locked = { cipher: "aes-256-cbc", passphrase: "x" } as const;

async function keysOf(byte: number): Promise<{ keys: CryptoKeyPair; pem: string }> {
  const key = ed25519Key(byte);
  const { subtle } = webcrypto;
  const spki = createPublicKey(key).export({ type: "spki", format: "der" });
  const pkcs8 = key.export({ type: "pkcs8", format: "der" });
  const keys = {
    publicKey: await subtle.importKey("spki", spki, algorithm, true, ["verify"]),
    privateKey: await subtle.importKey("pkcs8", pkcs8, algorithm, true, ["sign"]),
  } as unknown as CryptoKeyPair;
  return { keys, pem: String(key.export({ type: "pkcs8", format: "pem" })) };
}

/** As an authority of one's own makes them; Ed25519 draws nothing, so every run has the same. */
async function seedOf(role: "worker" | "", fromMs = nowMs - 1_000): Promise<Folder> {
  x509.cryptoProvider.set(webcrypto as Crypto);
  const [authority, own] = [await keysOf(1), await keysOf(2)];
  const validity = {
    serialNumber: "01",
    notBefore: new Date(fromMs),
    notAfter: new Date(fromMs + 1e9),
    signingAlgorithm: algorithm,
  };
  const ca = await x509.X509CertificateGenerator.createSelfSigned({
    ...validity,
    name: "CN=authority",
    keys: authority.keys,
  });
  const cert = await x509.X509CertificateGenerator.create({
    ...validity,
    ...{
      subject: "CN=own",
      issuer: "CN=authority",
      publicKey: own.keys.publicKey,
      signingKey: authority.keys.privateKey,
    },
    extensions: [new x509.SubjectAlternativeNameExtension([{ type: "url", value: identityUri("limbeck", role) }])],
  });
  return textFolder({ [names.ca]: ca.toString("pem"), [names.cert]: cert.toString("pem"), [names.key]: own.pem });
}

export const target: Target = {
  async open() {
    const seed = await seedOf("worker");
    const refused = (files: Record<string, string>): Nasty => ({ ...withFiles(seed, files), must: "be refused" });
    const [ca, cert, key] = [names.ca, names.cert, names.key].map((name) => seed.files[name]!.toString()) as [
      string,
      string,
      string,
    ];
    const begin = "-----BEGIN CERTIFICATE-----\n";
    return {
      seeds: [seed, await seedOf("")],
      nasties: {
        "beginnings that never end": refused({ [names.ca]: begin.repeat(20_000) }),
        "beginnings that never end, of one's own": refused({ [names.cert]: begin.repeat(20_000) }),
        "a certificate of nothing": refused({ [names.cert]: `${begin}-----END CERTIFICATE-----\n` }),
        "a certificate of a megabyte": refused({
          [names.cert]: `${begin}${"A".repeat(1 << 20)}\n-----END CERTIFICATE-----\n`,
        }),
        "a chain of two thousand": {
          ...withFiles(seed, { [names.cert]: `${cert}\n${`${ca}\n`.repeat(2_000)}` }),
          must: "be taken",
        },
        "a key in place of a certificate": refused({ [names.cert]: key }),
        "a certificate in place of a key": refused({ [names.key]: cert }),
        "a key that is locked": refused({
          [names.key]: String(ed25519Key(2).export({ ...locked, type: "pkcs8", format: "pem" })),
        }),
        "the authority's own": refused({ [names.cert]: ca }),
        "one of the day after tomorrow": { ...(await seedOf("worker", nowMs + 1e9)), must: "be refused" },
        "one that has expired": { ...(await seedOf("worker", nowMs - 2e9)), must: "be refused" },
      },
      names: /--tls-(ca|cert|key)|remote\.tls/,
      async read(folder) {
        const read = (name: string) => readFile(join(folder, name), "utf8").catch(() => "");
        const texts = {
          [tlsFlags.ca]: await read(names.ca),
          [tlsFlags.cert]: await read(names.cert),
          [tlsFlags.key]: await read(names.key),
        };
        // Both read them, whatever the other says.
        const asked = { folder, field: "teacher.remote.tls" };
        const [own, served] = await Promise.allSettled([
          (async () => readCertificates(names, texts, nowMs))(),
          openTls(names, "localhost:1", asked),
        ]);
        const thrown = [own, served].flatMap((each) => (each.status === "rejected" ? [each.reason] : []));
        if (thrown.length > 0) throw thrown.find((each) => !(each instanceof LimbeckError)) ?? thrown[0];
        if (own.status !== "fulfilled") return;
        const { identity, untilMs } = own.value;
        promise(identity === null || identity.cluster.length > 0, "it is of no cluster");
        promise(untilMs > nowMs && timeText(untilMs).length >= 20, "it ends at no time");
      },
    };
  },
};
