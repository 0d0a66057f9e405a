/** From a URL to the depot it names. */
import { fileURLToPath } from "node:url";
import type { NatsConnection } from "nats";
import { LimbeckError } from "../../core/errors.ts";
import {
  checkCluster,
  natsAuthorityVariable,
  natsCredentialsVariable,
  natsDepotUser,
  usualCluster,
} from "../cluster.ts";
import { shownUrl } from "../shownurl.ts";
import { type Depot, depotOn } from "./depot.ts";
import { folderShelf } from "./folder.ts";
import { isKey } from "./key.ts";
import { s3Shelf } from "./s3.ts";

export interface DepotOptions {
  /** For s3: endpoint, region, credentials; for nats: the user, LIMBECK_NATS_CREDS and LIMBECK_NATS_CA. The process's own, if not given. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** For nats: the connection that there is already, which stays the caller's; else the URL says where it goes. */
  readonly nats?: NatsConnection;
  /** Of that connection, as the server lists it. */
  readonly name?: string;
}

const forms =
  "s3://BUCKET/PREFIX, file:///FOLDER, or nats://HOST:PORT/CLUSTER for the object store of a cluster's JetStream";

/**
 * Opens a depot; a folder or bucket is not looked at before it is used.
 * @throws LimbeckError `usage` where the URL is none, or the package it needs is not installed; `unavailable` where NATS is
 */
export async function openDepot(url: string, options: DepotOptions = {}): Promise<Depot> {
  const [, scheme, rest] = /^([a-z0-9]+):(.*)$/s.exec(url) ?? [];
  switch (scheme) {
    case "file":
      return depotOn(folderShelf(folderIn(url)));
    case "s3": {
      const [, bucket, path] = /^\/\/([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])\/*(.*?)\/*$/.exec(rest!) ?? [];
      if (bucket === undefined || (path !== "" && !isKey(path!))) throw notSo(url);
      return depotOn(await s3Shelf({ bucket, prefix: path!, env: options.env ?? process.env }));
    }
    case "nats":
    case "tls": {
      const [, hosts, named] = /^\/\/([^/@\s]*)\/?([A-Za-z0-9_-]*)\/?$/.exec(rest!) ?? [];
      if (hosts === undefined) throw notSo(url);
      const cluster = checkCluster(named || usualCluster);
      const servers = hosts.split(",").map((host) => `${scheme}://${host}`);
      if (hosts === "" && !options.nats) throw notSo(url);
      const { objectShelf } = await import("./objects.ts");
      if (options.nats) return depotOn(await objectShelf(options.nats, { cluster }));
      return await onItsOwn(servers, cluster, options);
    }
    default:
      throw notSo(url);
  }
}

async function onItsOwn(urls: readonly string[], cluster: string, options: DepotOptions): Promise<Depot> {
  const { env = process.env, name = "limbeck depot" } = options;
  const [{ connectNats }, { objectShelf }] = [await import("../nats.ts"), await import("./objects.ts")];
  const [credentials, ca] = [natsCredentialsVariable, natsAuthorityVariable].map(
    (variable) => env[variable] || undefined,
  );
  const nats = await connectNats({ urls, name, user: natsDepotUser(env), credentials, ca });
  try {
    const depot = depotOn(await objectShelf(nats.connection, { cluster }));
    return { ...depot, close: () => nats.close() };
  } catch (thrown) {
    await nats.close();
    throw thrown;
  }
}

function folderIn(url: string): string {
  try {
    // Node takes what is relative as if it began at the root.
    if (/^file:\//.test(url)) return fileURLToPath(url);
  } catch {
    // Said below.
  }
  throw notSo(url);
}

function notSo(url: string): LimbeckError {
  const secret = /@/.test(url) ? "; credentials do not belong into it: they come from the environment" : "";
  return new LimbeckError("usage", `${shownUrl(url)} is no depot: it must be ${forms}${secret}`);
}
