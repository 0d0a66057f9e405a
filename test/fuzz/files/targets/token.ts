/** Tokens, the keys that check them, and lists of those that are revoked. */
import { createPrivateKey, createPublicKey, sign } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { isRole } from "../../../../core/security/identity.ts";
import { timeText } from "../../../../proto/security/certificates.ts";
import {
  readRevokedIds,
  readToken,
  readTokenPrivateKey,
  readTokenPublicKeys,
} from "../../../../proto/security/token.ts";
import { type Folder, type Nasty, promise, type Target, textFolder, withFiles } from "../target.ts";

/** Of 32 bytes (RFC 8410), so that every run has the same tokens. */
export function ed25519Key(byte: number) {
  const der = Buffer.concat([Buffer.from("302e020100300506032b657004220420", "hex"), Buffer.alloc(32, byte)]);
  return createPrivateKey({ key: der, format: "der", type: "pkcs8" });
}

const key = ed25519Key(7);
const shared = String(createPublicKey(key).export({ type: "spki", format: "pem" }));
const nowMs = 1_700_000_000_000;
const until = nowMs / 1_000 + 600;

function signed(claims: string): string {
  const text = `limbeck1.${Buffer.from(claims).toString("base64url")}`;
  return `${text}.${sign(null, Buffer.from(text), key).toString("base64url")}`;
}

const claims = { id: "a1", cluster: "limbeck", role: "worker", until };
/** What the token says lies beside it, so that it is changed as JSON is, and signed again. */
const seed = textFolder({
  token: signed(JSON.stringify(claims)),
  "claims.json": JSON.stringify(claims),
  "key.pub": shared,
  "key.pem": String(key.export({ type: "pkcs8", format: "pem" })),
  revoked: "# lost\n a2 \n\nb2 # laptop\n",
});
const refused = (files: Record<string, string>): Nasty => ({ ...withFiles(seed, files), must: "be refused" });
const claiming = (changed: object) => refused({ token: signed(JSON.stringify({ ...claims, ...changed })) });

export const target: Target = {
  open: async () => ({
    seeds: [seed],
    nasties: {
      "claims of null": refused({ token: signed("null") }),
      "claims of lists in lists": refused({ token: signed("[".repeat(500)) }),
      "until the end of time": claiming({ until: Number.MAX_SAFE_INTEGER }),
      "since the beginning of time": claiming({ until: Number.MIN_SAFE_INTEGER }),
      "until no time": claiming({ until: null }),
      "a role of JavaScript": claiming({ role: "constructor" }),
      "an id that is none": claiming({ id: { toString: "x" } }),
      "a signature of nothing": refused({ token: "limbeck1.e30." }),
      "a token of a megabyte": refused({ token: `limbeck1.${"A".repeat(1 << 20)}.A` }),
      "keys that never end": refused({ "key.pub": "-----BEGIN PUBLIC KEY-----\n".repeat(20_000) }),
      "a key of nothing": refused({ "key.pub": "-----BEGIN PUBLIC KEY-----\n-----END PUBLIC KEY-----\n" }),
      "a thousand keys": { ...withFiles(seed, { "key.pub": shared.repeat(1_000) }), must: "be taken" },
      "the private key": refused({ "key.pub": seed.files["key.pem"]!.toString() }),
      "a revoked id of a megabyte": withFiles(seed, { revoked: `#${" #".repeat(1 << 19)}\n` }),
    },
    names: /\btoken\b/,
    mend(folder: Folder): Folder {
      const text = folder.files["claims.json"];
      return text ? withFiles(folder, { token: signed(Buffer.from(text).toString()) }) : folder;
    },
    async read(folder) {
      const read = (name: string) => readFile(join(folder, name), "utf8").catch(() => "");
      promise(
        [...readRevokedIds(await read("revoked"))].every((id) => id.trim() === id && id !== ""),
        "an id is none",
      );
      const keys = readTokenPublicKeys(await read("key.pub"), "key.pub");
      const token = readToken((await read("token")).trim(), keys, nowMs);
      promise(
        isRole(token.role) && typeof token.id === "string" && typeof token.cluster === "string",
        "it has no role",
      );
      promise(timeText(token.untilMs).length >= 20, "it ends at no time");
      readTokenPrivateKey(await read("key.pem"), "key.pem");
    },
  }),
};
