/** `limbeck certs`: an authority and certificates for trying TLS out, as files. */
import { existsSync, readFileSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { LimbeckError } from "../core/errors.ts";
import { type Role, roles } from "../core/security/identity.ts";
import { checkCluster } from "../proto/cluster.ts";
import { timeText } from "../proto/security/certificates.ts";
import { createAuthority, createLeaf, type Pem } from "./authority.ts";
import { keptUntilMs } from "./keptcerts.ts";
import { writeNew } from "./newfile.ts";
import { tokenKeyFiles } from "./token.ts";

export interface CertsOptions {
  readonly out: string;
  readonly cluster: string;
  /** Names and addresses of the machines. */
  readonly host: readonly string[];
  readonly days: number;
  /** Folder of an authority that was made before: only certificates are made. */
  readonly ca?: string;
  /** What is there already is looked at, and left as it is. */
  readonly keep?: boolean;
}

const dayMs = 86_400_000;
const authorityDays = 3_650;
/** Clocks of other machines may be behind. */
const slackMs = 300_000;
/** The last belongs to the cluster, and a token says what it may. */
const leaves: readonly (Role | "member")[] = [...roles, "member"];

/** Overwrites nothing. */
export async function certs({ out, cluster, host, days, ca: from, keep = false }: CertsOptions): Promise<void> {
  checkCluster(cluster);
  const path = (name: string) => join(out, name);
  const own = from === undefined ? ["ca.pem", "ca.key", "token.key", "token.key.pub"] : ["ca.pem"];
  const names = [...own, ...leaves.flatMap((leaf) => [`${leaf}.pem`, `${leaf}.key`])];
  const there = names.map(path).filter((each) => existsSync(each));
  if (keep && there.length > 0) {
    const until = timeText(keptUntilMs(out, cluster, { names, leaves }));
    process.stdout.write(
      `${out}: the certificates of the cluster ${cluster} are kept; they are valid until ${until}\n`,
    );
    return;
  }
  if (there.length > 0)
    throw new LimbeckError(
      "usage",
      `${there[0]} is there already, and nothing is overwritten: name another folder with --out, or --keep what is there`,
    );
  await mkdir(out, { recursive: true, mode: 0o700 });
  const nowMs = Date.now();
  const [fromMs, untilMs] = [nowMs - slackMs, nowMs + days * dayMs];
  const ca =
    from === undefined
      ? await createAuthority(cluster, { fromMs, untilMs: nowMs + authorityDays * dayMs })
      : readPem(from);
  await writeNew(path("ca.pem"), ca.certificate, "public");
  if (from === undefined) {
    await writeNew(path("ca.key"), ca.key, "secret");
    const { secret, shared } = tokenKeyFiles();
    await writeNew(path("token.key"), secret, "secret");
    await writeNew(path("token.key.pub"), shared, "public");
  }
  const hosts = [...new Set(["localhost", "127.0.0.1", "::1", ...host])];
  for (const leaf of leaves) {
    const its = leaf === "member" ? [] : [leaf];
    const { certificate, key } = await createLeaf(ca, { cluster, roles: its, hosts, fromMs, untilMs });
    await writeNew(path(`${leaf}.pem`), certificate, "public");
    await writeNew(path(`${leaf}.key`), key, "secret");
  }
  process.stdout.write(
    [
      `${out}: an authority of the cluster ${cluster}, and certificates that are valid until ${timeText(untilMs)}`,
      ...leaves.map((leaf) => `  ${leaf}.pem, ${leaf}.key: ${purposes[leaf]}`),
      `  --tls-ca ${path("ca.pem")} goes with each. Who has ca.key or token.key lets anybody in: keep them elsewhere.`,
      "",
    ].join("\n"),
  );
}

const purposes: Readonly<Record<Role | "member", string>> = {
  coordinator: "for limbeck coordinator",
  worker: "for limbeck worker",
  submitter: "to submit, cancel and fetch",
  viewer: "to watch",
  member: "for whom a token says what it may (limbeck token create)",
};

function readPem(folder: string): Pem {
  try {
    const read = (name: string) => readFileSync(join(folder, name), "utf8");
    return { certificate: read("ca.pem"), key: read("ca.key") };
  } catch (cause) {
    throw new LimbeckError("usage", `--ca: ${folder} has no ca.pem and ca.key that can be read`, { cause });
  }
}
