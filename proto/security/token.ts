/**
 * A token: who holds it may what its role may, until it expires. Signed with Ed25519, so whoever checks it holds nothing
 * that could make another.
 */
import { createPrivateKey, createPublicKey, type KeyObject, randomBytes, sign, verify } from "node:crypto";
import { LimbeckError } from "../../core/errors.ts";
import { isRole, type Role } from "../../core/security/identity.ts";
import { timeText } from "./certificates.ts";

export interface Token {
  readonly id: string;
  readonly cluster: string;
  readonly role: Role;
  /** Unix time in milliseconds. */
  readonly untilMs: number;
}

const version = "limbeck1";
/** Clocks of different machines. */
const skewMs = 60_000;
const longestToken = 2_048;
/** What a date can be, in seconds. */
const lastSecond = 8.64e12;

/** @param key a private key in PEM, as `limbeck token key` makes it */
export function createToken(
  { cluster, role, untilMs }: Omit<Token, "id">,
  key: KeyObject,
): { token: Token; text: string } {
  const token = { id: randomBytes(9).toString("hex"), cluster, role, untilMs };
  const { id } = token;
  const claims = Buffer.from(JSON.stringify({ id, cluster, role, until: Math.floor(untilMs / 1_000) }));
  const signed = `${version}.${claims.toString("base64url")}`;
  const signature = sign(null, Buffer.from(signed), key).toString("base64url");
  return { token: { ...token, untilMs: Math.floor(untilMs / 1_000) * 1_000 }, text: `${signed}.${signature}` };
}

/** @throws LimbeckError `not_allowed` with what is wrong, which never repeats the token */
export function readToken(text: string, keys: readonly KeyObject[], nowMs: number): Token {
  const refused = (why: string) => new LimbeckError("not_allowed", `the token ${why}`);
  const [is, claims = "", signature = "", ...more] = text.length > longestToken ? [] : text.split(".");
  if (is !== version || more.length > 0) throw refused("is none of Limbeck's: limbeck token create makes one");
  const signed = Buffer.from(`${is}.${claims}`);
  const bytes = Buffer.from(signature, "base64url");
  // Before anything in it is believed.
  if (!keys.some((key) => verify(null, signed, key, bytes)))
    throw refused("is not signed with the key of this cluster (--token-key)");
  const token = claimsOf(claims);
  if (!token) throw refused("says nothing that is understood here: is it of a newer version?");
  if (token.untilMs + skewMs < nowMs)
    throw refused(`${token.id} expired at ${timeText(token.untilMs)}: a new one is needed`);
  return token;
}

function claimsOf(text: string): Token | null {
  try {
    const { id, cluster, role, until } = JSON.parse(Buffer.from(text, "base64url").toString("utf8"));
    const isWhole =
      typeof id === "string" && typeof cluster === "string" && Number.isInteger(until) && Math.abs(until) <= lastSecond;
    return isWhole && isRole(role) ? { id, cluster, role, untilMs: until * 1_000 } : null;
  } catch {
    return null;
  }
}

/** @throws LimbeckError `usage` */
export function readTokenPrivateKey(text: string, file: string): KeyObject {
  let key: KeyObject | null = null;
  try {
    key = createPrivateKey(text);
  } catch {
    // Said below.
  }
  if (key?.asymmetricKeyType === "ed25519") return key;
  throw new LimbeckError("usage", `${file} holds no private key for tokens: limbeck token key makes one`);
}

// No dash in between: of beginnings without an end each would be looked for to the end of the file.
const publicBlock = /-----BEGIN PUBLIC KEY-----[^-]*-----END PUBLIC KEY-----/g;

/** Several, while one replaces another. @throws LimbeckError `usage` */
export function readTokenPublicKeys(text: string, file: string): KeyObject[] {
  const wrong = (why: string) => new LimbeckError("usage", `--token-key: ${file} ${why}`);
  if (text.includes("PRIVATE KEY"))
    throw wrong("holds the private key, which makes tokens: who checks them is given the public one, FILE.pub");
  try {
    const keys = (text.match(publicBlock) ?? []).map((block) => createPublicKey(block));
    if (keys.length > 0 && keys.every(({ asymmetricKeyType }) => asymmetricKeyType === "ed25519")) return keys;
  } catch {
    // Said below.
  }
  throw wrong("holds no public key of tokens: limbeck token key makes FILE and FILE.pub");
}

/** An id a line; what follows # is for people. */
export function readRevokedIds(text: string): ReadonlySet<string> {
  const lines = text.split("\n").map((line) => line.replace(/#.*$/, "").trim());
  return new Set(lines.filter((line) => line !== ""));
}
