/** Which paths the network policies leave, and that Services, budgets, scalers and monitors find what they name. */
import { containersOf } from "./pods.ts";
import { componentOf, type PodOf, podsOf, selects, type Thing } from "./render.ts";

export function policiesOf(objects: readonly Thing[], pod: PodOf, direction: "Ingress" | "Egress"): Thing[] {
  return objects
    .filter(({ kind }) => kind === "NetworkPolicy")
    .filter(({ spec }) => spec.policyTypes.includes(direction) && selects(spec.podSelector.matchLabels, pod.labels));
}

export const portsOf = (pod: PodOf): Thing[] => containersOf(pod.spec).flatMap(({ ports = [] }) => ports);

/** Whether the ports of a rule have this one. @param ports undefined: all */
export function opens(ports: readonly Thing[] | undefined, port: number, protocol = "TCP"): boolean {
  const isOf = (each: Thing) => each.protocol === protocol && each.port <= port && port <= (each.endPort ?? each.port);
  return ports?.some(isOf) ?? true;
}

/** Whether the rules have one that names the other pod (or everybody) and the port. */
function admits(rules: readonly Thing[], side: "from" | "to", other: PodOf | null, port: number): boolean {
  return rules.some(({ [side]: peers, ports }) => {
    const isNamed =
      !peers ||
      (other !== null &&
        peers.some(
          ({ podSelector, namespaceSelector }: Thing) =>
            podSelector && !namespaceSelector && selects(podSelector.matchLabels, other.labels),
        ));
    return isNamed && opens(ports, port);
  });
}

export const rulesOf = (objects: readonly Thing[], pod: PodOf, direction: "Ingress" | "Egress"): Thing[] =>
  policiesOf(objects, pod, direction).flatMap(({ spec }) => spec[direction.toLowerCase()] ?? []);

/** Whether a pod of the chart reaches another's port. */
export function reaches(objects: readonly Thing[], [from, to]: readonly [PodOf, PodOf], port: number): boolean {
  return (
    admits(rulesOf(objects, from, "Egress"), "to", to, port) &&
    admits(rulesOf(objects, to, "Ingress"), "from", from, port)
  );
}

/** Of all pods, by component: who reaches which ports of whom. "students -> coordinator:7070" */
export function paths(objects: readonly Thing[]): string[] {
  const pods = podsOf(objects);
  const found = pods.flatMap((from) =>
    pods.flatMap((to) =>
      portsOf(to)
        .filter(({ containerPort }) => reaches(objects, [from, to], containerPort))
        .map(({ containerPort }) => `${componentOf(from)} -> ${componentOf(to)}:${containerPort}`),
    ),
  );
  return [...new Set(found)].sort();
}

/** Every pod is denied what is not allowed; every port is in a policy; what one side allows the other does, too. */
export function policyProblems(objects: readonly Thing[]): string[] {
  const pods = podsOf(objects);
  if (!objects.some(({ kind }) => kind === "NetworkPolicy")) return ["there are no network policies"];
  return pods.flatMap((pod) => {
    const { where } = pod;
    const denied = (["Ingress", "Egress"] as const).filter((direction) =>
      policiesOf(objects, pod, direction).every(({ spec }) => spec[direction.toLowerCase()] !== undefined),
    );
    const ports = portsOf(pod).map(({ containerPort }) => containerPort as number);
    const ingress = rulesOf(objects, pod, "Ingress");
    const closed = ports.filter(
      (port) => !ingress.some(({ ports: open }) => open?.some((each: Thing) => each.port === port)),
    );
    const open = ingress
      .flatMap(({ ports: named }) => named ?? [])
      .filter((each: Thing) => !each.endPort && !ports.includes(each.port));
    const lonely = pods.flatMap((other) =>
      ports
        .filter((port) => {
          const goes = admits(
            rulesOf(objects, other, "Egress").filter(({ to }) => to),
            "to",
            pod,
            port,
          );
          const comes = admits(
            ingress.filter(({ from }) => from),
            "from",
            other,
            port,
          );
          return goes !== comes;
        })
        .map((port) => `${other.where} and ${where} differ in whether ${port} is open between them`),
    );
    return [
      ...denied.map((direction) => `${where}: ${direction} is not denied by default`),
      ...closed.map((port) => `${where}: port ${port} is in no network policy`),
      ...(ports.length === 0 ? [] : open).map(
        ({ port }: Thing) => `${where}: a policy opens ${port}, which no container has`,
      ),
      ...lonely,
    ];
  });
}

/** What names others by labels or name finds them. */
export function selectionProblems(objects: readonly Thing[]): string[] {
  const pods = podsOf(objects);
  const chosen = (selector: Thing) => pods.filter(({ labels }) => selects(selector, labels));
  const hasPort = (pod: PodOf, port: unknown) =>
    portsOf(pod).some(({ name, containerPort }) => name === port || containerPort === port);
  return objects.flatMap(({ kind, metadata, spec }) => {
    const where = `${kind} ${metadata.name}`;
    if (kind === "Service") {
      const those = chosen(spec.selector);
      if (those.length === 0) return [`${where} has no endpoints`];
      return those.flatMap((pod) =>
        spec.ports
          .filter(({ targetPort }: Thing) => !hasPort(pod, targetPort))
          .map(({ name }: Thing) => `${where}: ${pod.where} has no port for ${name}`),
      );
    }
    if (["Deployment", "StatefulSet"].includes(kind))
      return selects(spec.selector.matchLabels, spec.template.metadata.labels)
        ? []
        : [`${where} does not select its own pods`];
    if (kind === "PodDisruptionBudget") {
      const those = chosen(spec.selector.matchLabels);
      const replicas = Math.max(...those.map(({ owner }) => replicasOf(owner)));
      if (those.length === 0) return [`${where} is of no pods`];
      return spec.minAvailable >= replicas ? [`${where} lets no pod of ${replicas} go`] : [];
    }
    if (kind === "PodMonitor") {
      const those = chosen(spec.selector.matchLabels);
      const isFound =
        those.length > 0 &&
        spec.podMetricsEndpoints.every(({ port }: Thing) => those.every((pod) => hasPort(pod, port)));
      return isFound ? [] : [`${where} finds no port`];
    }
    if (kind === "ServiceMonitor") {
      const those = objects.filter(
        (each) => each.kind === "Service" && selects(spec.selector.matchLabels, each.metadata.labels),
      );
      const isFound =
        those.length > 0 &&
        spec.endpoints.every(({ port }: Thing) =>
          those.every((each) => each.spec.ports.some((its: Thing) => its.name === port)),
        );
      return isFound ? [] : [`${where} finds no port`];
    }
    const target = spec?.scaleTargetRef;
    if (!target) return [];
    const scaled = objects.find(
      (each) => each.kind === (target.kind ?? "Deployment") && each.metadata.name === target.name,
    );
    if (!scaled) return [`${where} scales ${target.name}, which is not there`];
    return scaled.spec.replicas === undefined ? [] : [`${where}: ${target.name} has replicas of its own`];
  });
}

function replicasOf({ kind, spec }: Thing): number {
  if (kind === "Job") return spec.parallelism ?? 1;
  if (kind !== "JobSet") return spec.replicas ?? Number.POSITIVE_INFINITY;
  return Math.max(...spec.replicatedJobs.map(({ template }: Thing) => template.spec.parallelism ?? 1));
}

/** Names that the API server would not take, and two things of one name. */
export function nameProblems(objects: readonly Thing[]): string[] {
  const seen = new Set<string>();
  return objects.flatMap(({ kind, metadata, spec }) => {
    const name = metadata.name as string;
    const isTwice = seen.size === seen.add(`${kind} ${name}`).size;
    // What a controller appends: of a JobSet its job, two indices and five letters; of the others an index and letters.
    const appended =
      kind === "JobSet"
        ? Math.max(...spec.replicatedJobs.map((each: Thing) => each.name.length)) + 14
        : kind === "Job"
          ? 11
          : kind === "Deployment"
            ? 17
            : 0;
    const labels = Object.entries({ ...metadata.labels, ...spec?.template?.metadata?.labels });
    return [
      ...(isTwice ? [`there are two of ${kind} ${name}`] : []),
      ...(/^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/.test(name) ? [] : [`${kind} cannot be called ${name}`]),
      ...(name.length + appended <= 63
        ? []
        : [`${kind} ${name}: pods would have names of ${name.length + appended} letters`]),
      ...labels
        .filter(([, value]) => !/^([A-Za-z0-9]([\w.-]{0,61}[A-Za-z0-9])?)?$/.test(String(value)))
        .map(([key, value]) => `${kind} ${name}: label ${key} cannot be ${value}`),
    ];
  });
}
