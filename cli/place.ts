/** How a command is told where the coordinator is: by its addresses, or by the lease in NATS. */
import { type Command, Option } from "commander";
import { LimbeckError } from "../core/errors.ts";
import { natsCredentialsVariable, usualCluster } from "../proto/cluster.ts";
import { type Endpoint, hostPort } from "../proto/endpoint.ts";
import { givenCoordinators, type Whereabouts } from "../proto/whereabouts.ts";
import { commaSeparated, endpoints } from "./options.ts";

export type CoordinatorPlace = AddressPlace | LeasePlace;

export interface AddressPlace {
  readonly kind: "addresses";
  readonly endpoints: readonly Endpoint[];
  /** The options that say so again, for commands that are proposed; empty where the environment or nobody said it. */
  readonly again: string;
}

export interface LeasePlace {
  readonly kind: "lease";
  readonly urls: readonly string[];
  readonly credentials: string | undefined;
  readonly cluster: string;
  readonly again: string;
}

/** Where a coordinator listens if it is not told. */
export const usualCoordinator: Endpoint = { host: "127.0.0.1", port: 7070 };

/** Adds the options; placeOf reads them. */
export function withPlace(command: Command): Command {
  return command
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
    .addOption(clusterOption());
}

export function natsCredentials(): Option {
  return new Option("--nats-creds <file>", "credentials for NATS").env(natsCredentialsVariable);
}

export function clusterOption(): Option {
  return new Option("--cluster <name>", "of the coordinators and workers that belong together on NATS")
    .env("LIMBECK_CLUSTER")
    .default(usualCluster);
}

interface PlaceOptions {
  readonly coordinator?: readonly Endpoint[];
  readonly nats?: readonly string[];
  readonly natsCreds?: string;
  readonly cluster: string;
}

/**
 * What is said on the command line goes before what the environment says.
 * @param usual where nobody says anything
 * @throws LimbeckError `usage` where both are said, or neither and there is no usual one
 */
export function placeOf(command: Command, usual: Endpoint | null): CoordinatorPlace {
  const { coordinator, nats, natsCreds, cluster } = command.opts<PlaceOptions>();
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
  if (nats && (!coordinator || isTyped("nats"))) {
    const again = [
      ...(isTyped("nats") ? ["--nats", nats.join(",")] : []),
      ...(isTyped("natsCreds") ? ["--nats-creds", natsCreds!] : []),
      ...(isTyped("cluster") ? ["--cluster", cluster] : []),
    ];
    return { kind: "lease", urls: nats, credentials: natsCreds, cluster, again: spaced(again) };
  }
  if (coordinator) {
    const again = isTyped("coordinator") ? ["--coordinator", addressesText(coordinator)] : [];
    return { kind: "addresses", endpoints: coordinator, again: spaced(again) };
  }
  if (!usual) {
    const message =
      "where is the coordinator? Name it with --coordinator HOST:PORT or LIMBECK_COORDINATOR, or the NATS that knows it with --nats URL or LIMBECK_NATS";
    throw new LimbeckError("usage", message);
  }
  return { kind: "addresses", endpoints: [usual], again: "" };
}

function spaced(words: readonly string[]): string {
  return words.map((word) => ` ${word}`).join("");
}

function addressesText(given: readonly Endpoint[]): string {
  return given.map(({ host, port }) => hostPort(host, port)).join(",");
}

/** The options of another process that is to look at the same place. */
export function placeArguments(place: CoordinatorPlace): string[] {
  if (place.kind === "addresses") return ["--coordinator", addressesText(place.endpoints)];
  const { urls, credentials, cluster } = place;
  const secret = credentials === undefined ? [] : ["--nats-creds", credentials];
  return ["--nats", urls.join(","), ...secret, "--cluster", cluster];
}

export interface OpenPlace extends Whereabouts {
  close(): Promise<void>;
}

export interface NatsPatience {
  /** Of this process, as NATS lists it. */
  readonly name: string;
  /** How long NATS may take to answer the first time. */
  readonly deadlineMs: number;
}

/** Throws as connectNats. */
export async function openPlace(place: CoordinatorPlace, patience: NatsPatience): Promise<OpenPlace> {
  if (place.kind === "addresses") return { ...givenCoordinators(place.endpoints), close: async () => {} };
  const { leaseWhereabouts } = await import("../proto/natswhereabouts.ts");
  const { urls, credentials, cluster } = place;
  return leaseWhereabouts({ urls, credentials, ...patience }, cluster);
}
