/** Whether what `helm test` starts is started by it alone, in order, and as often as it is asked for. */
import { podsOf, type Thing } from "./render.ts";

const [hook, weight, deletion] = ["helm.sh/hook", "helm.sh/hook-weight", "helm.sh/hook-delete-policy"] as const;

export function hookProblems(objects: readonly Thing[]): string[] {
  const pods = podsOf(objects).filter(({ owner }) => owner.kind === "Pod");
  return pods.flatMap(({ where, owner, spec }) => {
    if (annotationsOf(owner)[hook] !== "test") return [`${where} is started with the release, and not by a test`];
    const mounted = spec.volumes.flatMap(({ configMap }: Thing) => configMap?.name ?? []);
    const before = objects.filter(({ kind, metadata }) => kind === "ConfigMap" && mounted.includes(metadata.name));
    return [
      ...[owner, ...before].flatMap(againProblems),
      ...before
        .filter((each) => annotationsOf(each)[hook] !== "test" || weightOf(each) >= weightOf(owner))
        .map(({ metadata }) => `ConfigMap ${metadata.name} is not there before ${where}`),
    ];
  });
}

/** Helm takes before-hook-creation for meant where nothing is said. */
function againProblems(object: Thing): string[] {
  const policy = annotationsOf(object)[deletion] ?? "before-hook-creation";
  if (policy.split(",").includes("before-hook-creation")) return [];
  return [`${object.kind} ${object.metadata.name}: a second test finds its name taken`];
}

const annotationsOf = ({ metadata }: Thing): Readonly<Record<string, string>> => metadata.annotations ?? {};
const weightOf = (object: Thing) => Number(annotationsOf(object)[weight] ?? 0);
