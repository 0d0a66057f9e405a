/** What every pod of the chart must keep to. Each function gives what is wrong, in sentences. */
import { type PodOf, podsOf, type Thing } from "./render.ts";

/** The restricted Pod Security Standard, and a file system that is only read. */
export function securityProblems(objects: readonly Thing[]): string[] {
  const accounts = objects
    .filter(
      ({ kind, automountServiceAccountToken }) => kind === "ServiceAccount" && automountServiceAccountToken !== false,
    )
    .map(({ metadata }) => `ServiceAccount ${metadata.name} mounts its token into pods that do not say otherwise`);
  return [...accounts, ...podSecurityProblems(objects)];
}

function podSecurityProblems(objects: readonly Thing[]): string[] {
  return podsOf(objects).flatMap(({ where, spec }) => {
    const wrong: string[] = [];
    const must = (holds: boolean, what: string) => void (holds || wrong.push(`${where}: ${what}`));
    const pod = spec.securityContext ?? {};
    must(pod.runAsNonRoot === true && pod.runAsUser > 0, "runs as root");
    must(pod.seccompProfile?.type === "RuntimeDefault", "has no seccomp profile");
    must(spec.automountServiceAccountToken === false, "mounts a token");
    must(!spec.hostNetwork && !spec.hostPID && !spec.hostIPC, "shares a namespace of the node");
    const allowed = ["configMap", "emptyDir", "secret", "persistentVolumeClaim"];
    for (const { name, ...source } of spec.volumes ?? [])
      must(
        Object.keys(source).every((kind) => allowed.includes(kind)),
        `volume ${name} is of a kind that is not allowed`,
      );
    for (const { name, securityContext: own = {} } of containersOf(spec)) {
      must(own.allowPrivilegeEscalation === false, `${name} may get more privileges`);
      must(own.privileged !== true && own.runAsUser !== 0 && own.runAsNonRoot !== false, `${name} is privileged`);
      must(own.readOnlyRootFilesystem === true, `${name} may write its root file system`);
      must(own.capabilities?.drop?.includes("ALL") === true && !own.capabilities.add, `${name} keeps capabilities`);
    }
    return wrong;
  });
}

export function resourceProblems(objects: readonly Thing[]): string[] {
  return podsOf(objects).flatMap(({ where, spec }) =>
    containersOf(spec).flatMap(({ name, resources: { requests = {}, limits = {} } = {} }) => [
      ...["cpu", "memory"].filter((each) => !(each in requests)).map((each) => `${where}: ${name} requests no ${each}`),
      ...("memory" in limits ? [] : [`${where}: ${name} has no limit of memory`]),
      // What is not of Kubernetes itself (a GPU) is given whole: the request is the limit.
      ...Object.keys({ ...requests, ...limits })
        .filter((each) => each.includes("/") && requests[each] !== limits[each])
        .map((each) => `${where}: ${name} requests another number of ${each} than its limit`),
    ]),
  );
}

/** Whoever is given GPUs does not make do with a CPU, and nobody else is told to want one. */
export function gpuProblems(objects: readonly Thing[]): string[] {
  return podsOf(objects).flatMap(({ where, spec }) =>
    containersOf(spec).flatMap(({ name, image, env = [], resources: { limits = {} } = {} }) => {
      const isGiven = Object.keys(limits).some((each) => each.includes("/"));
      const isRequired = env.some((each: Thing) => each.name === "LIMBECK_GPU" && each.value === "required");
      if (!isGiven) return isRequired ? [`${where}: ${name} requires a GPU, and is given none`] : [];
      return [
        ...(isRequired ? [] : [`${where}: ${name} has a GPU, and may do without`]),
        ...(/-gpu$|@sha256:/.test(image) ? [] : [`${where}: ${name} has a GPU, and the image ${image}`]),
      ];
    }),
  );
}

/** What is mounted is there, and what is there is mounted; what is named is of the chart or is said to be of others. */
export function referenceProblems(objects: readonly Thing[], others: readonly string[]): string[] {
  const names = new Set(objects.map(({ kind, metadata }) => `${kind} ${metadata.name}`));
  const secrets = objects.filter(({ kind }) => kind === "Certificate").map(({ spec }) => `Secret ${spec.secretName}`);
  const isKnown = (reference: string) =>
    names.has(reference) || secrets.includes(reference) || others.includes(reference.split(" ")[1]!);
  return podsOf(objects).flatMap(({ where, owner, spec }) => {
    const volumes: Thing[] = spec.volumes ?? [];
    const claimed = (owner.spec.volumeClaimTemplates ?? []) as Thing[];
    const mounted = containersOf(spec).flatMap(({ volumeMounts = [] }) => volumeMounts.map(({ name }: Thing) => name));
    const there = [...volumes, ...claimed].map(({ name, metadata }) => name ?? metadata.name);
    const environment = containersOf(spec).flatMap(({ env = [] }) => env as Thing[]);
    const references = [
      ...volumes.flatMap(({ secret, configMap, persistentVolumeClaim: claim }) => [
        ...(secret ? [`Secret ${secret.secretName}`] : []),
        ...(configMap ? [`ConfigMap ${configMap.name}`] : []),
        ...(claim ? [`PersistentVolumeClaim ${claim.claimName}`] : []),
      ]),
      ...environment.flatMap(({ valueFrom }) =>
        valueFrom?.secretKeyRef ? [`Secret ${valueFrom.secretKeyRef.name}`] : [],
      ),
      `ServiceAccount ${spec.serviceAccountName}`,
    ];
    return [
      ...mounted.filter((name) => !there.includes(name)).map((name) => `${where}: ${name} is mounted and is no volume`),
      ...there.filter((name) => !mounted.includes(name)).map((name) => `${where}: volume ${name} is mounted nowhere`),
      ...references.filter((each) => !isKnown(each)).map((each) => `${where}: ${each} is not there`),
    ];
  });
}

/** Nothing secret is written where a name would do. NATS' passwords are random, of each installation its own. */
export function secretProblems(objects: readonly Thing[]): string[] {
  const made = objects
    .filter(({ kind, metadata }) => kind === "Secret" && !metadata.name.endsWith("-nats-users"))
    .map(({ metadata }) => `Secret ${metadata.name} has its value in the chart`);
  const said = podsOf(objects).flatMap(({ where, spec }) =>
    containersOf(spec).flatMap(({ name, args = [], env = [] }) => [
      ...env
        .filter((each: Thing) => /KEY|SECRET|TOKEN|PASSWORD/.test(each.name) && !each.valueFrom)
        .map((each: Thing) => `${where}: ${name} has ${each.name} in plain`),
      ...[...args, ...env.map((each: Thing) => each.value ?? "")]
        .filter((text: string) => /:\/\/[^/]*@/.test(text))
        .map((text: string) => `${where}: ${name} is told credentials: ${text}`),
    ]),
  );
  return [...made, ...said];
}

/** A worker that is told to leave does so in order within this; supervised ones are killed after it (cli/workers.ts). */
const orderlySeconds = 12;

/** The time to leave in order; and that being sent away is no failure of a Job, with the code that the worker says then. */
export function endingProblems(objects: readonly Thing[]): string[] {
  return podsOf(objects).flatMap((pod) => {
    const { where, owner, spec } = pod;
    const [container] = containersOf(spec);
    if (owner.kind === "Pod") return [];
    if (container!.name === "nats") return lameDuckProblems(pod, objects);
    const sleep = container!.lifecycle?.preStop?.sleep?.seconds ?? 0;
    const left = spec.terminationGracePeriodSeconds - sleep;
    const short = left >= orderlySeconds ? [] : [`${where}: ${left} s after preStop are too short to leave in order`];
    const job = jobSpecOf(pod);
    if (!job) return [...short, ...(spec.restartPolicy ? [`${where}: a Deployment's pods are always restarted`] : [])];
    const rules: Thing[] = job.podFailurePolicy?.rules ?? [];
    const ignored = rules.filter(({ action }) => action === "Ignore");
    const codes: number[] = ignored.flatMap(({ onExitCodes }) => onExitCodes?.values ?? []);
    const own = container!.args.flatMap((arg: string) => /^--leave-code=(\d+)$/.exec(arg)?.[1] ?? []).map(Number);
    const isPreempted = ignored.some(({ onPodConditions = [] }) =>
      onPodConditions.some(({ type }: Thing) => type === "DisruptionTarget"),
    );
    return [
      ...short,
      ...(spec.restartPolicy === "Never" ? [] : [`${where}: podFailurePolicy wants restartPolicy Never`]),
      ...(isPreempted ? [] : [`${where}: preemption counts as a failure`]),
      ...[75, ...own]
        .filter((code) => !codes.includes(code))
        .map((code) => `${where}: code ${code} counts as a failure`),
      ...(container!.name === "worker" && own.length === 0
        ? [`${where}: a worker that is told to leave counts as done`]
        : []),
    ];
  });
}

/** A server with others sends its clients to them before it ends, and is let do so. */
function lameDuckProblems({ where, owner, spec }: PodOf, objects: readonly Thing[]): string[] {
  if (owner.spec.replicas === 1) return [];
  const [{ lifecycle }] = containersOf(spec);
  const config = objects.find(({ data }) => data?.["nats.conf"]).data["nats.conf"];
  const [, seconds] = /^lame_duck_duration: (\d+)s$/m.exec(config)!;
  const [, pidFile] = /^pid_file: (.*)$/m.exec(config) ?? [];
  const told = lifecycle?.preStop?.exec?.command ?? [];
  return [
    ...(told.at(-1) === `ldm=${pidFile}` ? [] : [`${where}: SIGTERM ends it at once, and its clients with it`]),
    ...(spec.terminationGracePeriodSeconds > Number(seconds)
      ? []
      : [`${where}: a lame duck lasts ${seconds} s, and it is killed after ${spec.terminationGracePeriodSeconds}`]),
  ];
}

/** Of a pod of a Job, or of one of a JobSet. */
export function jobSpecOf({ owner, spec }: PodOf): Thing | null {
  if (owner.kind === "Job") return owner.spec;
  if (owner.kind !== "JobSet") return null;
  return owner.spec.replicatedJobs
    .map(({ template }: Thing) => template.spec)
    .find((job: Thing) => job.template.spec === spec);
}

export function containersOf(spec: Thing): Thing[] {
  return [...(spec.initContainers ?? []), ...spec.containers];
}
