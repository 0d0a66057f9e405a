/** The options by which a process shows who it is and asks who others are. */
import { type Command, InvalidArgumentError, Option } from "commander";
import { LimbeckError } from "../core/errors.ts";
import { checkCluster } from "../proto/cluster.ts";
import type { SecurityOptions } from "../proto/security/security.ts";

/** As commander has them. */
export interface GivenSecurity {
  readonly tlsCa?: string;
  readonly tlsCert?: string;
  readonly tlsKey?: string;
  readonly insecure?: boolean;
  readonly tokenFile?: string;
  readonly tokenKey?: string;
  readonly revokedTokens?: string;
  readonly cluster: string;
}

/** Names an option that belongs to security, with its variable; an empty one says nothing. */
const variables = {
  "tls-ca": "LIMBECK_TLS_CA",
  "tls-cert": "LIMBECK_TLS_CERT",
  "tls-key": "LIMBECK_TLS_KEY",
  insecure: "LIMBECK_INSECURE",
  "token-file": "LIMBECK_TOKEN_FILE",
} as const;

/** What the children of `limbeck run`, which keeps to loopback, are not to find in their environment. */
export const withoutSecurity: Readonly<Record<string, undefined>> = Object.fromEntries(
  Object.values(variables).map((name) => [name, undefined]),
);

/** Adds the options of whoever listens or calls; `securityOf` reads them. */
export function withSecurity(command: Command): Command {
  const file = (flag: keyof typeof variables, text: string) =>
    command.addOption(new Option(`--${flag} <file>`, text).env(variables[flag]));
  file("tls-ca", "the cluster's authority (PEM): whom others' certificates must be signed by");
  file("tls-cert", "own certificate (PEM), which others verify; what is renewed is used without a restart");
  file("tls-key", "its private key (PEM)");
  file("token-file", "a token that says what this process may, where its certificate does not");
  return command.addOption(
    new Option("--insecure", "speak without TLS off loopback, too: where everybody on the network is trusted")
      .env(variables.insecure)
      .argParser(switchedOn),
  );
}

/** Adds those of whoever is called by others, too. */
export function withTokenKeys(command: Command): Command {
  return command
    .option("--token-key <file>", "take tokens that are signed with this key (the public one, FILE.pub)")
    .option(
      "--revoked-tokens <file>",
      "ids of tokens that are not taken any more, one a line; it may change at any time",
    );
}

/** @param text of the environment; the option itself is given none */
function switchedOn(text: string | undefined): boolean {
  if (text === undefined) return true;
  if (["1", "true", "yes"].includes(text)) return true;
  if (["", "0", "false", "no"].includes(text)) return false;
  throw new InvalidArgumentError("LIMBECK_INSECURE is 1, or 0.");
}

/** @throws LimbeckError `usage` where some are given that need others */
export function securityOf(given: GivenSecurity): SecurityOptions {
  const said = (text: string | undefined) => (text === "" ? undefined : text);
  const [ca, cert, key] = [said(given.tlsCa), said(given.tlsCert), said(given.tlsKey)];
  const named = { "--tls-ca": ca, "--tls-cert": cert, "--tls-key": key };
  const missing = Object.entries(named).flatMap(([flag, value]) => (value === undefined ? [flag] : []));
  if (missing.length === 1 || missing.length === 2)
    throw new LimbeckError(
      "usage",
      `${missing.join(" and ")} ${missing.length === 1 ? "is" : "are"} missing: TLS takes --tls-ca, --tls-cert and --tls-key, all three`,
    );
  if (given.revokedTokens !== undefined && given.tokenKey === undefined)
    throw new LimbeckError("usage", "--revoked-tokens without --token-key: no token is taken then");
  const tokenFile = said(given.tokenFile);
  return {
    tls: ca !== undefined && cert !== undefined && key !== undefined ? { ca, cert, key } : null,
    insecure: given.insecure ?? false,
    cluster: checkCluster(given.cluster),
    ...(tokenFile !== undefined && { tokenFile }),
    ...(given.tokenKey !== undefined && { tokenKey: given.tokenKey }),
    ...(given.revokedTokens !== undefined && { revokedTokens: given.revokedTokens }),
  };
}

/** The options of another process that is to be as secure. */
export function securityArguments(options: SecurityOptions): string[] {
  const { tls, insecure, tokenFile, tokenKey, revokedTokens } = options;
  const named = {
    "--tls-ca": tls?.ca,
    "--tls-cert": tls?.cert,
    "--tls-key": tls?.key,
    "--token-file": tokenFile,
    "--token-key": tokenKey,
    "--revoked-tokens": revokedTokens,
  };
  const args = Object.entries(named).flatMap(([flag, value]) => (value === undefined ? [] : [flag, value]));
  return insecure ? [...args, "--insecure"] : args;
}
