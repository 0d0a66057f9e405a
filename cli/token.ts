/** `limbeck token`: keys of tokens, and tokens. */
import { generateKeyPairSync } from "node:crypto";
import { readFileSync } from "node:fs";
import { LimbeckError } from "../core/errors.ts";
import type { Role } from "../core/security/identity.ts";
import { checkCluster } from "../proto/cluster.ts";
import { timeText } from "../proto/security/certificates.ts";
import { createToken, longestWorkerTokenMs, readTokenPrivateKey } from "../proto/security/token.ts";
import type { OutputFormat } from "./display.ts";
import { writeNew } from "./newfile.ts";

/** PEM. */
export function tokenKeyFiles(): { readonly secret: string; readonly shared: string } {
  const { privateKey, publicKey } = generateKeyPairSync("ed25519");
  const secret = privateKey.export({ type: "pkcs8", format: "pem" });
  return { secret: String(secret), shared: String(publicKey.export({ type: "spki", format: "pem" })) };
}

/** Makes FILE, which makes tokens, and FILE.pub, which checks them. */
export async function makeKey({ out }: { readonly out: string }): Promise<void> {
  const { secret, shared } = tokenKeyFiles();
  await writeNew(out, secret, "secret");
  await writeNew(`${out}.pub`, shared, "public");
  process.stdout.write(
    `${out} makes tokens: keep it; ${out}.pub checks them: coordinators are given it by --token-key\n`,
  );
}

export interface CreateOptions {
  readonly role: Role;
  /** Milliseconds. */
  readonly for: number;
  readonly key: string;
  readonly cluster: string;
  readonly output: OutputFormat;
}

/** On stdout the token alone, on stderr what it is. */
export async function create({ role, for: lastsMs, key: file, cluster, output }: CreateOptions): Promise<void> {
  let pem: string;
  try {
    pem = readFileSync(file, "utf8");
  } catch (cause) {
    throw new LimbeckError("usage", `--key: ${file} cannot be read: limbeck token key --out FILE makes one`, { cause });
  }
  if (role === "worker" && lastsMs > longestWorkerTokenMs)
    throw new LimbeckError("usage", "--for: a worker's token lasts 7d at the most: whoever has it may join");
  const claims = { cluster: checkCluster(cluster), role, untilMs: Date.now() + lastsMs };
  const { token, text } = createToken(claims, readTokenPrivateKey(pem, file));
  if (output === "json") {
    const { id, untilMs } = token;
    process.stdout.write(`${JSON.stringify({ token: text, id, cluster, role, until: timeText(untilMs) })}\n`);
    return;
  }
  process.stderr.write(
    `token ${token.id}: ${role} of the cluster ${cluster} until ${timeText(token.untilMs)}; its id in --revoked-tokens ends it before\n`,
  );
  process.stdout.write(`${text}\n`);
}
