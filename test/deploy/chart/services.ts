/** Where the names of Services lead, as a cluster's DNS and its proxies have them. */
import { portsOf } from "./network.ts";
import { namespaceOf, type PodOf, podsOf, selects, type Thing } from "./render.ts";

export interface Place {
  readonly host: string;
  readonly port: number;
}

const usualPorts: Readonly<Record<string, number>> = { nats: 4222, tls: 4222, http: 80, https: 443 };

/** Of a URL, of several with commas between, of one with several hosts, or of HOST:PORT. */
export function placesIn(text: string): Place[] {
  let scheme = "";
  return text.split(",").flatMap((each) => {
    const [, its, rest = ""] = /^(?:(\w+):\/\/)?([^/]*)/.exec(each) ?? [];
    scheme = its ?? scheme;
    const [host = "", port = usualPorts[scheme]] = rest.split(":");
    return [{ host, port: Number(port) }];
  });
}

export interface Reached {
  readonly pods: readonly PodOf[];
  /** Of the pods. */
  readonly port: number;
}

/** Null where the host is no Service of the release, or one without the port. */
export function reachedBy(objects: readonly Thing[], { host, port }: Place): Reached | null {
  const [name] = host.split(".");
  const service = objects.find(({ kind, metadata }) => kind === "Service" && metadata.name === name);
  const its = service?.spec.ports.find((each: Thing) => each.port === port);
  if (!its || !isInside(objects, host)) return null;
  const pods = podsOf(objects).filter(({ labels }) => selects(service.spec.selector, labels));
  const named = pods.flatMap(portsOf).find(({ name, containerPort }) => [name, containerPort].includes(its.targetPort));
  return named ? { pods, port: named.containerPort } : null;
}

/** NAME, NAME.NAMESPACE, NAME.NAMESPACE.svc, …: of the release's own namespace. */
export function isInside(objects: readonly Thing[], host: string): boolean {
  const own = namespaceOf(objects);
  const [, its = own, svc = "svc"] = host.split(".");
  return its === own && svc === "svc";
}
