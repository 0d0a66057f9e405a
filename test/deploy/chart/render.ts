/** The chart as Helm renders it, and the base of kustomize. */
import { execFileSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { parseAllDocuments } from "yaml";
import { packagePath } from "../../../proto/package.ts";

export const chart = packagePath("deploy/helm/limbeck");

// biome-ignore lint/suspicious/noExplicitAny: what the schemas have checked is looked into at every depth
export type Thing = any;

/** Of a cluster that has JobSet. */
export const jobSet = ["jobset.x-k8s.io/v1alpha2"];

/** Of a release that is rendered here. */
export const namespace = "ml";

/** Of a release: Helm knows it, and kustomize writes it into each object. */
export function namespaceOf([first]: readonly Thing[]): string {
  return first.metadata.namespace ?? namespace;
}

const valuesFolders = ["deploy/helm/examples", "test/deploy/chart/values"];

/** Every file of values: the examples, and those of the tests. */
export function valuesFiles(): string[] {
  return valuesFolders.flatMap((folder) =>
    readdirSync(packagePath(folder)).map((name) => packagePath(`${folder}/${name}`)),
  );
}

export interface RenderOptions {
  readonly release?: string;
  readonly values?: readonly string[];
  readonly set?: readonly string[];
  /** As `set`, of what is written as JSON: an empty list is nothing else. */
  readonly json?: readonly string[];
  /** What the cluster has beside Kubernetes' own. */
  readonly apiVersions?: readonly string[];
}

/** Throws with what Helm says. */
export function render(helm: string, options: RenderOptions = {}): Thing[] {
  return parsed(said(helm, ["template", ...argumentsOf(options)]));
}

/** What Helm tells who has installed it. */
export function notes(helm: string, options: RenderOptions = {}): string {
  return said(helm, ["install", ...argumentsOf(options), "--dry-run=client"]).split("NOTES:\n")[1]!;
}

function argumentsOf(options: RenderOptions): string[] {
  const { release = "limbeck", values = [], set = [], json = [], apiVersions = [] } = options;
  const args = [release, chart, "--namespace", namespace, ...json.flatMap((each) => ["--set-json", each])];
  args.push(...values.flatMap((file) => ["--values", file]), ...set.flatMap((each) => ["--set", each]));
  args.push(...apiVersions.flatMap((each) => ["--api-versions", each]));
  return args;
}

/** Of a command. @throws Error with what it wrote to stderr */
export function said(command: string, args: readonly string[]): string {
  try {
    return execFileSync(command, args, { encoding: "utf8", stdio: "pipe", maxBuffer: 64 << 20 });
  } catch (thrown) {
    const { stdout, stderr } = thrown as { readonly stdout: string; readonly stderr: string };
    throw new Error(`${stdout}${stderr}`);
  }
}

export function parsed(text: string): Thing[] {
  return parseAllDocuments(text).flatMap((document) => {
    if (document.errors.length > 0) throw document.errors[0];
    return document.toJS() ?? [];
  });
}

/** A pod, or the template of some, and what it is in. */
export interface PodOf {
  readonly where: string;
  readonly owner: Thing;
  readonly labels: Readonly<Record<string, string>>;
  readonly spec: Thing;
}

export function podsOf(objects: readonly Thing[]): PodOf[] {
  return objects.flatMap((owner) => {
    const where = `${owner.kind} ${owner.metadata.name}`;
    const pod = (at: string, { metadata, spec }: Thing): PodOf => ({ where: at, owner, labels: metadata.labels, spec });
    if (owner.kind === "Pod") return pod(where, owner);
    if (owner.kind === "JobSet")
      return owner.spec.replicatedJobs.map(({ name, template }: Thing) =>
        pod(`${where} ${name}`, template.spec.template),
      );
    return owner.spec?.template?.spec?.containers ? pod(where, owner.spec.template) : [];
  });
}

export const componentOf = ({ labels }: Pick<PodOf, "labels">) => labels["app.kubernetes.io/component"]!;

/** The first of a component. */
export function podOf(objects: readonly Thing[], component: string): PodOf {
  return podsOf(objects).find((pod) => componentOf(pod) === component)!;
}

export function selects(selector: Thing, labels: Readonly<Record<string, string>>): boolean {
  return Object.entries(selector ?? {}).every(([key, value]) => labels[key] === value);
}
