/** Whether what containers read is mounted where they are told that it is, and what they write can be written. */
import { readFileSync } from "node:fs";
import { packagePath } from "../../../proto/package.ts";
import { stagesOf } from "../dockerfile.ts";
import { optionOf } from "./arguments.ts";
import { type PodOf, podsOf, type Thing } from "./render.ts";

/** What the image has set: LIMBECK_CACHE is written, whoever runs it. */
const image = Object.fromEntries(
  stagesOf(readFileSync(packagePath("deploy/docker/cpu.Dockerfile"), "utf8"))
    .at(-1)!
    .instructions.filter(({ keyword }) => keyword === "ENV")
    .flatMap(({ words }) => words.map((word) => word.split("=") as [string, string])),
);

/** Keys of a Secret that cert-manager makes. */
const tlsKeys = ["ca.crt", "tls.crt", "tls.key"];

export function mountProblems(objects: readonly Thing[]): string[] {
  return podsOf(objects).flatMap((pod) =>
    pod.spec.containers.flatMap((container: Thing) => {
      const wrong = [
        ...writtenBy(objects, container)
          .filter((path) => !isWritable(pod, mountOf(container, path)))
          .map((path) => `writes ${path}, where nothing is mounted that it may write`),
        ...readBy(container)
          .filter((path) => !isThere(objects, pod, { container, path }))
          .map((path) => `reads ${path}, which is not mounted`),
      ];
      return wrong.map((what) => `${pod.where}: ${container.name} ${what}`);
    }),
  );
}

function writtenBy(objects: readonly Thing[], { name, args, env = [] }: Thing): string[] {
  if (name === "nats") {
    const config = objects.find(({ data }) => data?.["nats.conf"]).data["nats.conf"];
    return [/^ *store_dir: (\S+)$/m.exec(config)![1]!];
  }
  const own = env.find((each: Thing) => each.name === "LIMBECK_CACHE")?.value;
  const state = optionOf(args, "state");
  return [
    "/tmp",
    ...(args[0] === "worker" ? [own ?? image["LIMBECK_CACHE"], "/dev/shm"] : []),
    ...(state === undefined ? [] : [state]),
  ];
}

/** Files that options and variables name, and the job file. */
function readBy({ args, env = [] }: Thing): string[] {
  const values = [...args, ...env.map(({ value = "" }: Thing) => value)];
  const paths = values.flatMap((text: string) => /^(?:--[\w-]+=)?(\/.*\.?\w+)$/.exec(text)?.[1] ?? []);
  return paths.filter((path) => path !== optionOf(args, "state"));
}

interface Read {
  readonly container: Thing;
  readonly path: string;
}

function isThere(objects: readonly Thing[], { spec }: PodOf, { container, path }: Read): boolean {
  const mount = mountOf(container, path);
  const { secret, configMap } = spec.volumes.find(({ name }: Thing) => name === mount?.name) ?? {};
  const key = path.slice((mount?.mountPath.length ?? 0) + 1);
  const items: Thing[] | undefined = (secret ?? configMap)?.items;
  if (items) return items.some((each) => each.path === key);
  const named = (each: Thing) => each.metadata.name === configMap?.name;
  const data = objects.find((each) => each.kind === "ConfigMap" && named(each))?.data;
  if (data) return key in data;
  const isIssued = objects.some(
    ({ kind, spec: its }) => kind === "Certificate" && its.secretName === secret?.secretName,
  );
  return isIssued ? tlsKeys.includes(key) : mount !== undefined;
}

/** The mount that a path lies in. */
export function mountOf({ volumeMounts = [] }: Thing, path: string): Thing | undefined {
  return volumeMounts
    .filter(({ mountPath }: Thing) => path === mountPath || path.startsWith(`${mountPath}/`))
    .sort((one: Thing, other: Thing) => other.mountPath.length - one.mountPath.length)[0];
}

function isWritable({ owner, spec }: PodOf, mount: Thing | undefined): boolean {
  if (!mount || mount.readOnly) return false;
  const claimed = (owner.spec.volumeClaimTemplates ?? []).some(({ metadata }: Thing) => metadata.name === mount.name);
  const { emptyDir, persistentVolumeClaim: claim } =
    (spec.volumes ?? []).find(({ name }: Thing) => name === mount.name) ?? {};
  return claimed || emptyDir !== undefined || (claim !== undefined && !claim.readOnly);
}
