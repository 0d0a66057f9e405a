/** The chart's NATS on this machine, as its users meet it. */
import type { TestContext } from "node:test";
import { openNatsStore } from "../../../coordinator/nats/store.ts";
import type { Leadership } from "../../../coordinator/store.ts";
import { connectNats, type Nats } from "../../../proto/nats.ts";
import { scratchFolder } from "../../e2e/limbeck.ts";
import { findTool } from "../../kubernetestools.ts";
import { ownNetwork } from "../network.ts";
import { type ChartNats, natsEnvironment, startChartNats } from "./nats.ts";
import { render, type Thing } from "./render.ts";

export const cluster = "limbeck";

/** Of servers that are there, on a machine that has much else to do. */
const deadlineMs = 60_000;

export interface Served {
  readonly objects: readonly Thing[];
  readonly servers: readonly ChartNats[];
  /** Of the first server. */
  readonly url: string;
  /** By user. */
  readonly passwords: Readonly<Record<string, string>>;
  /** As workers and coordinators open it. */
  readonly depot: { readonly url: string; readonly env: Readonly<Record<string, string | undefined>> };
  as(user: string): Promise<Nats>;
}

/** Null where Helm is not to be had. @param set beside the usual values */
export async function served(t: TestContext, set: readonly string[] = []): Promise<Served | null> {
  const helm = findTool("helm");
  if ("why" in helm) {
    t.skip(helm.why);
    return null;
  }
  const objects = render(helm.path, { set });
  const { spec } = objects.find(({ kind, metadata }) => kind === "StatefulSet" && metadata.name.endsWith("-nats"));
  const network = ownNetwork();
  const hosts = Array.from({ length: spec.replicas }, (_, index) => `${network}.${index + 1}`);
  const servers = startChartNats(t, objects, { folder: await scratchFolder(t), hosts });
  const passwords = Object.fromEntries(
    Object.entries(natsEnvironment(objects)).map(([name, value]) => [
      name.replace("_PASSWORD", "").toLowerCase(),
      value,
    ]),
  );
  const url = `nats://${hosts[0]}:4222`;
  const depot = {
    url: `${url}/${cluster}`,
    env: {
      ...{ LIMBECK_NATS_USER: "worker", LIMBECK_NATS_PASSWORD: passwords["worker"] },
      ...{ LIMBECK_NATS_DEPOT_USER: "depot", LIMBECK_NATS_DEPOT_PASSWORD: passwords["depot"] },
    },
  };
  const as = async (name: string) => {
    const nats = await connectNats({ urls: [url], name, deadlineMs, user: { name, password: passwords[name]! } });
    t.after(() => nats.close());
    return nats;
  };
  return { objects, servers, url, passwords, depot, as };
}

export async function lead(nats: Nats, name: string): Promise<Leadership> {
  const own = { name, address: `${name}:7070`, http: `${name}:7071` };
  const { signal } = new AbortController();
  return await openNatsStore({ nats, cluster, ttlMs: 1_000 }).lead(own, { signal, standby: () => {} });
}
