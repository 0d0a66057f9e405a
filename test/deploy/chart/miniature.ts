/**
 * The chart's containers as processes of this machine, each with an address of its own on loopback. What they are told, which
 * variables they have and what their probes ask is taken from the rendering; names of Services and mounted folders are replaced.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { setTimeout } from "node:timers/promises";
import { type Running, scratchFolder, serverDeadlineMs, start } from "../../e2e/limbeck.ts";
import { type Mounts, placed } from "../mounts.ts";
import { ownNetwork } from "../network.ts";
import { expanded } from "./arguments.ts";
import { secretValue, startChartNats } from "./nats.ts";
import { askedAt, content, whenGone } from "./probe.ts";
import { podsOf, type Thing } from "./render.ts";

export interface Container extends Running {
  readonly address: string;
  readonly name: string;
  /** host:port that the readiness probe asks. */
  readonly readiness: string;
  /** Resolves when the readiness probe is content. @throws where the process ends before */
  ready(): Promise<void>;
  /** As a kubelet ends it: preStop, SIGTERM, SIGKILL when its grace is over. @returns its exit code, null where it was killed */
  stop(): Promise<number | null>;
}

export interface Miniature {
  /** @param more arguments after the chart's: of an option that is there, they go before those */
  run(component: string, ...more: string[]): Container;
  /** As a Deployment or a Job keeps it: another is started where one ends, but for the end of its work. */
  keep(component: string): Kept;
}

export interface Kept {
  readonly current: () => Container;
  /** Exit codes so far. */
  readonly codes: readonly (number | null)[];
}

/** @param secrets by name: the folder that stands for it */
export async function miniature(
  t: TestContext,
  objects: readonly Thing[],
  secrets: Readonly<Record<string, string>> = {},
): Promise<Miniature> {
  const folder = await scratchFolder(t);
  const pods = podsOf(objects);
  const network = ownNetwork();
  const natsAddress = `${network}.1`;
  let started = 1;
  /** Of the first one, for whom the Service stands. */
  let coordinatorAddress = "";
  startChartNats(t, objects, { folder, hosts: [natsAddress] });
  await content({ httpGet: { path: "/healthz" } }, `${natsAddress}:8222`);

  const run = (component: string, ...more: string[]): Container => {
    const { spec } = pods.find(({ labels }) => labels["app.kubernetes.io/component"] === component)!;
    const [container] = spec.containers;
    started += 1;
    const [address, name] = [`${network}.${started}`, `${component}-${started}`];
    if (component === "coordinator") coordinatorAddress ||= address;
    const own = join(folder, name);
    const mounts: Mounts = container.volumeMounts.map(({ name: volume, mountPath }: Thing) => [
      mountPath,
      folderOf(
        spec.volumes.find(({ name }: Thing) => name === volume),
        { objects, secrets, own },
      ),
    ]);
    const here = (text: string) =>
      placed(text, mounts)
        .replaceAll("0.0.0.0", address)
        .replaceAll("limbeck-nats:", `${natsAddress}:`)
        .replaceAll("limbeck-coordinator:", `${coordinatorAddress}:`);
    const args = expanded(container, { POD_IP: address, POD_NAME: name, POD_UID: `uid-${started}` });
    const env = container.env
      .map(({ name, value, valueFrom }: Thing) => [name, value ? here(value) : secretValue(valueFrom, objects)])
      .filter(([, value]: [string, string | undefined]) => value);
    const given = [...args.map(here), ...more];
    const running = start(given, Object.fromEntries(env), { deadlineMs: serverDeadlineMs });
    t.after(() => void running.process.kill("SIGKILL"));
    const { readinessProbe: probe } = container;
    const readiness = probe ? askedAt(probe, container, address) : "";
    const ready = () => content(probe, readiness, whenGone(name, running));
    return { ...running, address, name, readiness, ready, stop: () => stopped(running, spec) };
  };
  let isOver = false;
  t.after(() => {
    isOver = true;
  });
  const keep = (component: string): Kept => {
    let current = run(component);
    const codes: (number | null)[] = [];
    const isJob = pods.some(
      ({ labels, owner }) => labels["app.kubernetes.io/component"] === component && owner.kind === "Job",
    );
    void (async () => {
      for (;;) {
        const { code } = await current.outcome;
        codes.push(code);
        if (isOver || (isJob && code === 0)) return;
        current = run(component);
      }
    })();
    return { current: () => current, codes };
  };
  return { run, keep };
}

interface Sources {
  readonly objects: readonly Thing[];
  readonly secrets: Readonly<Record<string, string>>;
  readonly own: string;
}

/** What a volume holds: a Secret's files, a ConfigMap's, or nothing yet. */
function folderOf({ name: volume, secret, configMap }: Thing, { objects, secrets, own }: Sources): string {
  if (secret) return secrets[secret.secretName]!;
  const folder = join(own, volume);
  mkdirSync(folder, { recursive: true });
  const source =
    configMap && objects.find(({ kind, metadata }) => kind === "ConfigMap" && metadata.name === configMap.name);
  for (const [name, text] of Object.entries<string>(source?.data ?? {})) writeFileSync(join(folder, name), text);
  return folder;
}

/** The grace period begins with preStop. */
async function stopped({ process: child, outcome }: Running, spec: Thing): Promise<number | null> {
  const grace = globalThis.setTimeout(() => child.kill("SIGKILL"), spec.terminationGracePeriodSeconds * 1_000);
  const { seconds = 0 } = spec.containers[0].lifecycle?.preStop?.sleep ?? {};
  await setTimeout(seconds * 1_000);
  child.kill("SIGTERM");
  const { code } = await outcome;
  clearTimeout(grace);
  return code;
}
