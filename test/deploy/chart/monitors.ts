/** Whether Prometheus is told to ask what is served, and teachers are scaled by what it then has. */
import { target } from "../../../coordinator/targets.ts";
import { isMetric } from "../../metricstext.ts";
import { metricsIn } from "../rules.ts";
import { optionOf } from "./arguments.ts";
import { metricsPath } from "./pages.ts";
import { namespaceOf, type PodOf, podsOf, type Thing } from "./render.ts";
import { placesIn, reachedBy } from "./services.ts";

export function monitorProblems(objects: readonly Thing[]): string[] {
  return objects.flatMap((each) => {
    const where = `${each.kind} ${each.metadata.name}`;
    const said = (wrong: readonly string[]) => wrong.map((what) => `${where} ${what}`);
    if (each.kind === "ScrapeConfig") return said(discoveryProblems(objects, each));
    if (each.kind === "ScaledObject") return said(queryProblems(objects, each));
    if (each.kind === "HorizontalPodAutoscaler") return said(metricProblems(each));
    const endpoints: Thing[] = each.spec?.podMetricsEndpoints ?? each.spec?.endpoints ?? [];
    return said(pathProblems(endpoints.map(({ path }) => path)));
  });
}

function pathProblems(paths: readonly (string | undefined)[]): string[] {
  const wrong = paths.filter((path) => path !== undefined && path !== metricsPath);
  return wrong.map((path) => `scrapes ${path}: metrics are at ${metricsPath}`);
}

function discoveryProblems(objects: readonly Thing[], { spec }: Thing): string[] {
  const own = namespaceOf(objects);
  const labels: Thing[] = spec.relabelings.filter(({ targetLabel }: Thing) => targetLabel === "namespace");
  return [
    ...pathProblems([spec.metricsPath]),
    ...spec.httpSDConfigs.flatMap(({ url }: Thing) => listProblems(objects, new URL(url))),
    ...(labels.every(({ replacement }) => replacement === own) ? [] : [`says another namespace than ${own}`]),
  ];
}

/** Prometheus is elsewhere, so a Service's name alone would be one of its own namespace. */
function listProblems(objects: readonly Thing[], { href, host, hostname, pathname }: URL): string[] {
  const [, namespace] = hostname.split(".");
  if (namespace !== namespaceOf(objects)) return [`asks ${href}, which names no Service of this namespace`];
  const reached = reachedBy(objects, placesIn(host)[0]!);
  if (!reached) return [`asks ${href}, which is no Service here`];
  return reached.pods.flatMap(({ spec: { containers } }) => {
    const [{ args }] = containers;
    // Of several that one name stands for, only who leads knows the workers; the coordinator of one job is alone.
    const wanted = args.some((arg: string) => /^\/.*\.yaml$/.test(arg)) ? "/targets" : "/leader/targets";
    if (args[0] !== "coordinator" || optionOf(args, "http")?.endsWith(`:${reached.port}`) !== true)
      return [`asks ${href}, where a coordinator has no pages`];
    return pathname === wanted ? [] : [`asks for ${pathname}: ${wanted} lists the workers`];
  });
}

/** PromQL: of this namespace, and of the role that the scaled pods have. */
function queryProblems(objects: readonly Thing[], { spec }: Thing): string[] {
  const scaled = podsOf(objects).find(({ owner }) => owner.metadata.name === spec.scaleTargetRef.name);
  const meant = { namespace: namespaceOf(objects), limbeck_role: scaled ? roleOf(scaled) : "" };
  const wanted: Readonly<Record<string, string>> = { ...labelsOf(objects), ...meant };
  const others = Object.keys(target("", { job: "", role: "", worker: "" }).labels);
  return spec.triggers.flatMap(({ metadata: { query } }: Thing) => {
    const matchers = [...query.matchAll(/(\w+) ?=~? ?"([^"]*)"/g)].map(([, label, value]) => [label!, value!] as const);
    const missing = Object.keys(meant).filter((label) => !matchers.some(([name]) => name === label));
    return [
      ...metricsIn(query)
        .filter((name) => !isMetric(name))
        .map((name) => `asks for ${name}, which is no metric`),
      ...(metricsIn(query).length === 0 ? [`asks for no metric: ${query}`] : []),
      ...missing.map((label) => `asks for every ${label}`),
      ...matchers
        .filter(([label, value]) => (label in wanted ? value !== wanted[label] : !others.includes(label)))
        .map(([label, value]) => `asks for ${label}="${value}", which its teachers have not`),
    ];
  });
}

/** That all series get. */
function labelsOf(objects: readonly Thing[]): Record<string, string> {
  const all: Thing[] = objects.flatMap(({ kind, spec }) => (kind === "ScrapeConfig" ? spec.relabelings : []));
  const fixed = all.filter(({ sourceLabels, targetLabel }) => targetLabel && !sourceLabels);
  return Object.fromEntries(fixed.map(({ targetLabel, replacement }) => [targetLabel, replacement]));
}

const roleOf = ({ spec }: PodOf): string => optionOf(spec.containers[0].args, "role") ?? "";

function metricProblems({ spec }: Thing): string[] {
  return spec.metrics
    .filter(({ pods }: Thing) => pods && !isMetric(pods.metric.name))
    .map(({ pods }: Thing) => `asks for ${pods.metric.name}, which is no metric`);
}
