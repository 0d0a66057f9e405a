/** Checks tokens by keys and a list of revoked ids that may change while the process runs. */
import type { KeyObject } from "node:crypto";
import { LimbeckError } from "../../core/errors.ts";
import { type Followed, type Following, follow } from "./followed.ts";
import { readRevokedIds, readToken, readTokenPublicKeys, type Token } from "./token.ts";

export interface TokenCheck {
  /** @param atMs as of when; now, if not given. @throws LimbeckError `not_allowed` */
  check(text: string, atMs?: number): Token;
  /** Calls back each time the keys or the list of revoked ids change: what was let in may be out. */
  onChange(changed: () => void): void;
  close(): void;
}

export interface TokenCheckSettings {
  readonly cluster: string;
  /** Of public keys. */
  readonly keyFile: string;
  readonly revokedFile: string | undefined;
  readonly told: Following<unknown>["told"];
  readonly everyMs?: number;
  /** Unix time in milliseconds. */
  readonly now?: () => number;
}

/** @throws LimbeckError `usage` where a file cannot be used */
export function openTokenCheck({
  cluster,
  keyFile,
  revokedFile,
  now = Date.now,
  ...rest
}: TokenCheckSettings): TokenCheck {
  const keys: Followed<KeyObject[]> = follow({
    ...rest,
    files: { "--token-key": keyFile },
    parse: ({ "--token-key": text }) => readTokenPublicKeys(text!, keyFile),
  });
  const revoked: Followed<ReadonlySet<string>> | null =
    revokedFile === undefined
      ? null
      : follow({
          ...rest,
          files: { "--revoked-tokens": revokedFile },
          parse: ({ "--revoked-tokens": text }) => readRevokedIds(text!),
        });
  return {
    check(text, atMs = now()) {
      const token = readToken(text, keys.current, atMs);
      const refused = (why: string) => new LimbeckError("not_allowed", `the token ${token.id} ${why}`);
      if (token.cluster !== cluster) throw refused(`is of the cluster ${token.cluster}, this is ${cluster}`);
      if (revoked?.current.has(token.id)) throw refused("has been revoked");
      return token;
    },
    onChange(changed) {
      keys.onChange(changed);
      revoked?.onChange(changed);
    },
    close() {
      keys.close();
      revoked?.close();
    },
  };
}
