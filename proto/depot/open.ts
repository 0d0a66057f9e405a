/** From a URL to the depot it names. */
import { fileURLToPath } from "node:url";
import type { NatsConnection } from "nats";
import { LimbeckError } from "../../core/errors.ts";
import { type Depot, depotOn } from "./depot.ts";
import { folderShelf } from "./folder.ts";
import { isKey } from "./key.ts";
import { s3Shelf } from "./s3.ts";

export interface DepotOptions {
  /** For s3: endpoint, region, credentials; the process's own, if not given. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** For nats: the connection, which stays the caller's. @param servers of the URL; none where it names none */
  readonly nats?: (servers: readonly string[]) => Promise<NatsConnection>;
}

const forms =
  "s3://BUCKET/PREFIX, file:///FOLDER, or nats://HOST:PORT/CLUSTER for the object store of a cluster's JetStream";

/**
 * Opens a depot; a folder or bucket is not looked at before it is used.
 * @throws LimbeckError `usage` where the URL is none, or the package it needs is not installed; `unavailable` where NATS is
 */
export async function openDepot(url: string, { env = process.env, nats }: DepotOptions = {}): Promise<Depot> {
  const [, scheme, rest] = /^([a-z0-9]+):(.*)$/s.exec(url) ?? [];
  switch (scheme) {
    case "file":
      return depotOn(folderShelf(folderIn(url)));
    case "s3": {
      const [, bucket, path] = /^\/\/([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])\/*(.*?)\/*$/.exec(rest!) ?? [];
      if (bucket === undefined || (path !== "" && !isKey(path!))) throw notSo(url);
      return depotOn(await s3Shelf({ bucket, prefix: path!, env }));
    }
    case "nats":
    case "tls": {
      const [, hosts, cluster] = /^\/\/([^/@\s]*)\/?([A-Za-z0-9_-]*)\/?$/.exec(rest!) ?? [];
      if (hosts === undefined) throw notSo(url);
      if (!nats)
        throw new LimbeckError("usage", `${shown(url)}: this process has no connection to NATS: give it --nats`);
      const servers = hosts === "" ? [] : hosts.split(",").map((host) => `${scheme}://${host}`);
      const { objectShelf } = await import("./objects.ts");
      const connection = await nats(servers);
      return depotOn(
        await objectShelf(connection, { cluster: cluster || "limbeck", replicas: replicasOf(connection) }),
      );
    }
    default:
      throw notSo(url);
  }
}

/** Three where the cluster has as many servers. */
function replicasOf({ info }: NatsConnection): number {
  return (info?.connect_urls?.length ?? 1) >= 3 ? 3 : 1;
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
  return new LimbeckError("usage", `${shown(url)} is no depot: it must be ${forms}${secret}`);
}

/** Without what may be a password. */
function shown(url: string): string {
  return url.replace(/\/\/.*@/s, "//…@").slice(0, 200);
}
