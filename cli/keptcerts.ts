/** `limbeck certs --keep`: whether what an earlier call made will still do. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { LimbeckError } from "../core/errors.ts";
import { certificatesOf } from "../proto/security/certificates.ts";

export interface Expected {
  /** Of all files. */
  readonly names: readonly string[];
  /** Of certificates with their keys: LEAF.pem and LEAF.key. */
  readonly leaves: readonly string[];
}

/**
 * Holds the files to what processes will hold them to.
 * @returns when the first of the certificates expires, Unix time in milliseconds
 * @throws LimbeckError `usage` where one is missing or no good
 */
export function keptUntilMs(out: string, cluster: string, { names, leaves }: Expected): number {
  const refused = (why: string) =>
    new LimbeckError("usage", `${out} cannot be kept: ${why}. Remove its files, and others are made`);
  const lacks = names.find((name) => !existsSync(join(out, name)));
  if (lacks !== undefined) throw refused(`${lacks} is missing`);
  const ends = leaves.map((leaf) => {
    const files = { ca: join(out, "ca.pem"), cert: join(out, `${leaf}.pem`), key: join(out, `${leaf}.key`) };
    try {
      const { identity, untilMs } = certificatesOf(files);
      if (identity?.cluster === cluster) return untilMs;
      const its = identity ? `the cluster ${identity.cluster}` : "no cluster";
      throw new Error(`${files.cert} is of ${its}, not of ${cluster}`);
    } catch (thrown) {
      throw refused((thrown as Error).message);
    }
  });
  return Math.min(...ends);
}
