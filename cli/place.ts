/** How a command is told where the coordinator is: by its addresses, or by the lease in NATS. */
import { type Command, Option } from "commander";
import { LimbeckError } from "../core/errors.ts";
import { natsAuthorityVariable, natsCredentialsVariable, usualCluster } from "../proto/cluster.ts";
import { type Endpoint, hostPort } from "../proto/endpoint.ts";
import type { NatsChange } from "../proto/nats.ts";
import { openSecurity, type Security, type SecurityOptions, type Told } from "../proto/security/security.ts";
import { givenCoordinators, type Whereabouts } from "../proto/whereabouts.ts";
import { commaSeparated, endpoints } from "./options.ts";
import { type GivenSecurity, securityArguments, securityOf, withSecurity } from "./security.ts";

export type CoordinatorPlace = AddressPlace | LeasePlace;

export interface AddressPlace {
  readonly kind: "addresses";
  readonly endpoints: readonly Endpoint[];
  readonly security: SecurityOptions;
  /** The options that say so again, for commands that are proposed; empty where the environment or nobody said it. */
  readonly again: string;
}

export interface LeasePlace {
  readonly kind: "lease";
  readonly urls: readonly string[];
  readonly credentials: string | undefined;
  readonly ca: string | undefined;
  readonly security: SecurityOptions;
  readonly cluster: string;
  readonly again: string;
}

/** Where a coordinator listens if it is not told. */
export const usualCoordinator: Endpoint = { host: "127.0.0.1", port: 7070 };

/** Adds the options; placeOf reads them. */
export function withPlace(command: Command): Command {
  const addressed = command
    .addOption(
      new Option("--coordinator <host:port,…>", "where workers join the coordinator; several, of which one decides")
        .env("LIMBECK_COORDINATOR")
        .argParser(endpoints),
    )
    .addOption(
      new Option("--nats <url,…>", "NATS, which knows the coordinator that leads")
        .env("LIMBECK_NATS")
        .argParser(commaSeparated),
    )
    .addOption(natsCredentials())
    .addOption(natsAuthority())
    .addOption(clusterOption());
  return withSecurity(addressed);
}

export function natsCredentials(): Option {
  return new Option("--nats-creds <file>", "credentials for NATS").env(natsCredentialsVariable);
}

export function natsAuthority(): Option {
  return new Option(
    "--nats-ca <file>",
    "whom NATS' certificate must be signed by (tls://), where it is no public authority",
  ).env(natsAuthorityVariable);
}

export function clusterOption(): Option {
  return new Option("--cluster <name>", "of the coordinators and workers that belong together on NATS")
    .env("LIMBECK_CLUSTER")
    .default(usualCluster);
}

interface PlaceOptions extends GivenSecurity {
  readonly coordinator?: readonly Endpoint[];
  readonly nats?: readonly string[];
  readonly natsCreds?: string;
  readonly natsCa?: string;
}

/**
 * What is said on the command line goes before what the environment says.
 * @param usual where nobody says anything
 * @throws LimbeckError `usage` where both are said, or neither and there is no usual one
 */
export function placeOf(command: Command, usual: Endpoint | null): CoordinatorPlace {
  const given = command.opts<PlaceOptions>();
  const { coordinator, nats, natsCreds, natsCa: ca, cluster } = given;
  const security = securityOf(given);
  const typedSecurity = () => (["tlsCa", "tokenFile", "insecure"].some(isTyped) ? securityArguments(security) : []);
  const isTyped = (name: string) => command.getOptionValueSource(name) === "cli";
  if (coordinator && nats && isTyped("coordinator") === isTyped("nats")) {
    const [one, other] = isTyped("nats")
      ? ["--coordinator", "--nats"]
      : ["the environment variables LIMBECK_COORDINATOR", "LIMBECK_NATS"];
    throw new LimbeckError(
      "usage",
      `${one} and ${other} exclude each other: give the coordinators, or the NATS they meet at`,
    );
  }
  const said = (place: Unsaid): CoordinatorPlace => {
    const typed = Object.entries(sayingOf(place)).flatMap(([name, words]) => (isTyped(name) ? words : []));
    return { ...place, again: spaced([...typed, ...typedSecurity()]) };
  };
  if (nats && (!coordinator || isTyped("nats")))
    return said({ kind: "lease", urls: nats, credentials: natsCreds, ca, security, cluster });
  if (!coordinator && !usual) {
    const message =
      "where is the coordinator? Name it with --coordinator HOST:PORT or LIMBECK_COORDINATOR, or the NATS that knows it with --nats URL or LIMBECK_NATS";
    throw new LimbeckError("usage", message);
  }
  return said({ kind: "addresses", endpoints: coordinator ?? [usual!], security });
}

type Unsaid = Omit<AddressPlace, "again"> | Omit<LeasePlace, "again">;

/** The options that say it, by commander's names for them. */
function sayingOf(place: Unsaid): Readonly<Record<string, readonly string[]>> {
  const cluster = ["--cluster", place.security.cluster];
  if (place.kind === "addresses") return { coordinator: ["--coordinator", addressesText(place.endpoints)], cluster };
  const { urls, credentials, ca } = place;
  return {
    nats: ["--nats", urls.join(",")],
    ...(credentials !== undefined && { natsCreds: ["--nats-creds", credentials] }),
    ...(ca !== undefined && { natsCa: ["--nats-ca", ca] }),
    cluster,
  };
}

function spaced(words: readonly string[]): string {
  return words.map((word) => ` ${word}`).join("");
}

function addressesText(given: readonly Endpoint[]): string {
  return given.map(({ host, port }) => hostPort(host, port)).join(",");
}

/** The options of another process that is to look at the same place. */
export function placeArguments(place: CoordinatorPlace): string[] {
  return [...Object.values(sayingOf(place)).flat(), ...securityArguments(place.security)];
}

export interface OpenPlace extends Whereabouts {
  readonly security: Security;
  close(): Promise<void>;
}

export interface NatsPatience {
  /** Of this process, as NATS lists it. */
  readonly name: string;
  /** How long NATS may take to answer the first time. */
  readonly deadlineMs: number;
  /** Hears when NATS is waited for. */
  readonly told?: (change: NatsChange) => void;
}

/**
 * NATS may be yet to come: `ready` tells. @throws as openSecurity; `usage` for an address off loopback without TLS, and
 * for a URL of NATS that is none
 */
export async function openPlace(place: CoordinatorPlace, patience: NatsPatience, told: Told): Promise<OpenPlace> {
  const security = openSecurity(place.security, told);
  if (place.kind === "addresses") {
    const where = givenCoordinators(place.endpoints);
    // Before anything is done: what is wrong with an address is wrong at once.
    for (const { host, port } of place.endpoints) security.dial("coordinator", hostPort(host, port));
    return { ...where, security, close: async () => security.close() };
  }
  const { leaseWhereabouts } = await import("../proto/natswhereabouts.ts");
  const { urls, credentials, ca, cluster } = place;
  const where = leaseWhereabouts({ urls, credentials, ca, ...patience }, cluster);
  const close = async () => {
    security.close();
    await where.close();
  };
  return { ...where, security, close };
}
