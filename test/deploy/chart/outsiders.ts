/** Those who are no pods of the chart, and whom its pods reach or are reached by: the cluster's DNS, Prometheus. */
import { readFileSync } from "node:fs";
import { parse } from "yaml";
import { opens, policiesOf, portsOf, rulesOf } from "./network.ts";
import { chart, podsOf, selects, type Thing } from "./render.ts";

interface Outsider {
  /** Kubernetes gives each namespace its name as a label. */
  readonly namespace: string;
  readonly labels: Readonly<Record<string, string>>;
}

/** As kubeadm and the clouds have it, whether it is CoreDNS or not. */
const dns: Outsider = { namespace: "kube-system", labels: { "k8s-app": "kube-dns" } };

/** Where the chart's scaler of teachers asks it, if nothing else is said. */
const prometheusUrl = parse(readFileSync(`${chart}/values.yaml`, "utf8")).teachers.autoscaling.prometheus as string;
const prometheus: Outsider = {
  namespace: new URL(prometheusUrl).hostname.split(".")[1]!,
  labels: { "app.kubernetes.io/name": "prometheus" },
};

export function outsiderProblems(objects: readonly Thing[]): string[] {
  return podsOf(objects).flatMap((pod) => {
    const isHeld = policiesOf(objects, pod, "Egress").length > 0;
    const egress = rulesOf(objects, pod, "Egress");
    const ingress = rulesOf(objects, pod, "Ingress");
    return [
      ...["UDP", "TCP"]
        .filter((protocol) => isHeld && !egress.some((rule) => names(rule.to, dns) && opens(rule.ports, 53, protocol)))
        .map((protocol) => `${pod.where}: no policy lets it ask the DNS by ${protocol}`),
      ...portsOf(pod)
        .filter(({ name }) => name === "http")
        .filter(
          ({ containerPort }) =>
            !ingress.some((rule) => names(rule.from, prometheus) && opens(rule.ports, containerPort)),
        )
        .map(({ containerPort }) => `${pod.where}: no policy lets Prometheus scrape ${containerPort}`),
    ];
  });
}

/** @param peers undefined: everybody */
function names(peers: readonly Thing[] | undefined, { namespace, labels }: Outsider): boolean {
  const own = { "kubernetes.io/metadata.name": namespace };
  const isMeant = ({ namespaceSelector, podSelector }: Thing) =>
    namespaceSelector &&
    selects(namespaceSelector.matchLabels, own) &&
    (!podSelector || selects(podSelector.matchLabels, labels));
  return peers?.some(isMeant) ?? true;
}
