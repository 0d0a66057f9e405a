/** The commands that make certificates and tokens. */
import { type Command, Option } from "commander";
import { usualCluster } from "../proto/cluster.ts";
import { collect, lasting, positive, printing } from "./options.ts";
import { clusterOption } from "./place.ts";

export function addSecrets(limbeck: Command): void {
  limbeck
    .command("certs")
    .description("make an authority and certificates for a cluster, for trying TLS out; keys are for their owner only")
    .requiredOption("--out <dir>", "folder of the files; nothing in it is overwritten")
    .addOption(clusterOption().default(usualCluster))
    .option("--host <name>", "a name or address of a machine, besides localhost; may be repeated", collect, [])
    .option("--days <n>", "how long the certificates are valid", positive, 90)
    .option("--ca <dir>", "sign with the authority in this folder, instead of a new one")
    .option("--keep", "where all the files are there already, make sure that they are good, and leave them as they are")
    .action(async (options) => (await import("./certs.ts")).certs(options));

  const token = limbeck
    .command("token")
    .description("tokens that say what their holder may, for a while: make keys and tokens")
    .exitOverride();
  token
    .command("key")
    .description("make the key of a cluster's tokens: FILE makes them, FILE.pub checks them")
    .requiredOption("--out <file>", "of the private key; nothing is overwritten")
    .action(async (options) => (await import("./token.ts")).makeKey(options));
  printing(token.command("create"), "json: the token with its id and its end")
    .description("print a token; its id, by which it can be revoked, is told on stderr")
    .addOption(
      new Option("--role <role>", "what its holder may")
        .choices(["worker", "submitter", "viewer"])
        .makeOptionMandatory(),
    )
    .addOption(
      new Option("--for <time>", "until it expires: 90s, 10m, 2h or 30d; a worker's at most 7d")
        .argParser(lasting)
        .default(3_600_000, "1h"),
    )
    .requiredOption("--key <file>", "the private key, as `limbeck token key` or `limbeck certs` made it")
    .addOption(clusterOption())
    .action(async (options) => (await import("./token.ts")).create(options));
}
