/**
 * The chart's containers as processes of this machine, each with an address of its own on loopback. What they are told, which
 * variables they have and what their probes ask is taken from the rendering; names of Services and mounted folders are replaced.
 */
import { spawn } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { setTimeout } from "node:timers/promises";
import { program } from "../../../cli/program.ts";
import { type Running, scratchFolder, start } from "../../e2e/limbeck.ts";
import { expanded } from "./arguments.ts";
import { podsOf, type Thing } from "./render.ts";

export interface Container extends Running {
  readonly address: string;
  readonly name: string;
  /** Resolves when the readiness probe is content. */
  ready(): Promise<void>;
}

export interface Miniature {
  run(component: string, ...more: string[]): Container;
  /** As a Deployment or a Job keeps it: another is started where one ends, but for the end of its work. */
  keep(component: string): Kept;
}

export interface Kept {
  readonly current: () => Container;
  /** Exit codes so far. */
  readonly codes: readonly (number | null)[];
}

const natsAddress = "127.1.0.1";

/** @param secrets by name: the folder that stands for it */
export async function miniature(
  t: TestContext,
  objects: readonly Thing[],
  secrets: Readonly<Record<string, string>> = {},
): Promise<Miniature> {
  const folder = await scratchFolder(t);
  const pods = podsOf(objects);
  let started = 1;
  const nats = join(folder, "nats.conf");
  const { data } = objects.find(({ kind, data }) => kind === "ConfigMap" && data["nats.conf"]);
  writeFileSync(nats, data["nats.conf"].replaceAll("0.0.0.0", natsAddress).replace("/data", join(folder, "nats")));
  const server = spawn("nats-server", ["--config", nats], {
    env: { ...process.env, ...natsEnvironment(objects) },
    stdio: "ignore",
  });
  t.after(() => void server.kill("SIGKILL"));
  await answers(`http://${natsAddress}:8222/healthz`);

  const run = (component: string, ...more: string[]): Container => {
    const { spec } = pods.find(({ labels }) => labels["app.kubernetes.io/component"] === component)!;
    const [container] = spec.containers;
    started += 1;
    const [address, name] = [`127.1.0.${started}`, `${component}-${started}`];
    const own = join(folder, name);
    const folders = container.volumeMounts.map(({ name: volume, mountPath }: Thing) => [
      mountPath,
      folderOf(
        spec.volumes.find(({ name }: Thing) => name === volume),
        { objects, secrets, own },
      ),
    ]);
    const here = (text: string) => {
      const [, path] = /^(?:--[\w-]+=)?(\/.*)$/.exec(text) ?? [];
      const mounted = folders.find(([at]: [string]) => path === at || path?.startsWith(`${at}/`));
      const placed = mounted ? text.replace(mounted[0], mounted[1]) : text;
      return placed.replaceAll("0.0.0.0", address).replaceAll("limbeck-nats:", `${natsAddress}:`);
    };
    const args = expanded(container, { POD_IP: address, POD_NAME: name, POD_UID: `uid-${started}` });
    const env = container.env
      .map(({ name, value, valueFrom }: Thing) => [name, value ? here(value) : secretValue(valueFrom, objects)])
      .filter(([, value]: [string, string | undefined]) => value);
    const running = start([...args.filter(isTaken).map(here), ...more], Object.fromEntries(env));
    t.after(() => void running.process.kill("SIGKILL"));
    const { port, path } = container.readinessProbe?.httpGet ?? container.livenessProbe?.httpGet ?? {};
    const number = container.ports?.find((each: Thing) => each.name === port)?.containerPort;
    return { ...running, address, name, ready: () => answers(`http://${address}:${number}${path}`) };
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

/** Of a Secret that the chart makes. */
export function secretValue(valueFrom: Thing, objects: readonly Thing[]): string | undefined {
  const { name, key } = valueFrom?.secretKeyRef ?? {};
  const found = objects.find(({ kind, metadata }) => kind === "Secret" && metadata.name === name)?.data?.[key];
  return found === undefined ? undefined : Buffer.from(found, "base64").toString();
}

interface Sources {
  readonly objects: readonly Thing[];
  readonly secrets: Readonly<Record<string, string>>;
  readonly own: string;
}

/** Of the server's container: its name, and the passwords of its users. */
export function natsEnvironment(objects: readonly Thing[]): Record<string, string> {
  const { spec } = podsOf(objects).find(({ labels }) => labels["app.kubernetes.io/component"] === "nats")!;
  const variables = spec.containers[0].env.map(({ name, valueFrom }: Thing) => [
    name,
    secretValue(valueFrom, objects) ?? "limbeck-nats-0",
  ]);
  return Object.fromEntries(variables);
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

/** Options that the command line does not have yet are left out. */
function isTaken(arg: string): boolean {
  const [, flag] = /^(--[\w-]+)/.exec(arg) ?? [];
  return flag === undefined || program().commands.some(({ options }) => options.some(({ long }) => long === flag));
}

async function answers(url: string): Promise<void> {
  const isWell = () =>
    fetch(url).then(
      ({ ok }) => ok,
      () => false,
    );
  while (!(await isWell())) await setTimeout(50);
}
