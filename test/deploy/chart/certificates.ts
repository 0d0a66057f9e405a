/** What `limbeck certs` makes, as the chart's Secrets have it (tls.mode=existing); and those who are not let in with what they have. */
import assert from "node:assert/strict";
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { identityUri } from "../../../core/security/identity.ts";
import { limbeck } from "../../e2e/limbeck.ts";
import type { CertManager } from "./certmanager.ts";

/** By Secret, whose certificate it holds. */
const holders = { "tls-coordinator": "coordinator", "tls-worker": "worker", "tls-client": "submitter" };

/** Values that name them. */
export const namedSecrets = [
  "tls.mode=existing",
  ...Object.keys(holders).map((secret) => `tls.existing.${secret.slice("tls-".length)}=${secret}`),
];

export async function madeCertificates(folder: string): Promise<string> {
  const { code, stderr } = await limbeck("certs", "--out", folder, "--cluster", "limbeck");
  assert.equal(code, 0, stderr);
  return folder;
}

/** @param made by `limbeck certs` @returns by name, the folder that stands for a Secret */
export function secretsOf(made: string): Record<string, string> {
  return Object.fromEntries(
    Object.entries(holders).map(([secret, holder]) => {
      const its = join(made, secret);
      mkdirSync(its);
      copyFileSync(join(made, "ca.pem"), join(its, "ca.crt"));
      copyFileSync(join(made, `${holder}.pem`), join(its, "tls.crt"));
      copyFileSync(join(made, `${holder}.key`), join(its, "tls.key"));
      return [secret, its];
    }),
  );
}

export interface Stranger {
  /** Instead of the chart's. */
  readonly args: readonly string[];
  /** What it gets. */
  readonly told: RegExp;
  /** What the leader says of it. */
  readonly logged: RegExp;
}

/**
 * Workers that know all addresses, and have no certificate by which to join.
 * @param own the cluster's @param other of another authority, of a cluster of the same name
 */
export async function strangers(own: CertManager, other: CertManager): Promise<readonly Stranger[]> {
  const name = "limbeck-worker-tls";
  const [worker, othersWorker] = [own.secrets[name]!, other.secrets[name]!];
  const both = join(othersWorker, "both.crt");
  writeFileSync(both, [worker, othersWorker].map((folder) => readFileSync(join(folder, "ca.crt"), "utf8")).join(""));
  const viewer = await own.issue({
    ...own.specs.get(name),
    secretName: "stranger",
    uris: [identityUri("limbeck", "viewer")],
  });
  const shows = (folder: string, ca = join(folder, "ca.crt")) => [
    `--tls-ca=${ca}`,
    `--tls-cert=${join(folder, "tls.crt")}`,
    `--tls-key=${join(folder, "tls.key")}`,
  ];
  return [
    {
      // An empty one says nothing. On loopback it dares to call: elsewhere it would refuse by itself, for want of --insecure.
      args: ["--tls-ca=", "--tls-cert=", "--tls-key="],
      told: /^limbeck: the coordinator at \S+:7070 speaks TLS: give --tls-ca, --tls-cert and --tls-key$/m,
      logged: /a connection is refused: it does not speak TLS/,
    },
    {
      args: shows(othersWorker, both),
      told: /^limbeck: the coordinator at \S+:7070 refuses the certificate in --tls-cert/m,
      logged: /a connection is refused: its certificate is not signed by an authority in --tls-ca/,
    },
    {
      args: shows(viewer),
      told: /^limbeck: Coordinator\.Join takes the role worker, and the certificate has the role viewer; no token came$/m,
      logged: /a call is refused: Coordinator\.Join takes the role worker/,
    },
  ];
}
