/**
 * The chart's containers as processes of this machine, each with an address of its own on loopback. What they are told, which
 * variables they have and what their probes ask is taken from the rendering; names of Services and mounted folders are replaced.
 */
import { join } from "node:path";
import type { TestContext } from "node:test";
import { setTimeout } from "node:timers/promises";
import { lasting, type Running, scratchFolder, start } from "../../e2e/limbeck.ts";
import { placed } from "../mounts.ts";
import { ownNetwork } from "../network.ts";
import { expanded } from "./arguments.ts";
import { secretValue, startChartNats } from "./nats.ts";
import { askedAt, content, whenGone } from "./probe.ts";
import { componentOf, podOf, type Thing } from "./render.ts";
import { placesIn, reachedBy } from "./services.ts";
import { mountsOf } from "./volumes.ts";

export interface Container extends Running {
  readonly address: string;
  readonly component: string;
  readonly name: string;
  /** What the readiness probe asks: a URL, or host:port of a health service. */
  readonly readiness: string;
  /** What a question for a page, written as a probe's, asks of it. */
  asked(httpGet: Thing): string;
  /** Resolves when all its probes are content, which a kubelet asks one after the other. @throws where the process ends before */
  ready(): Promise<void>;
  /** As a kubelet ends it: preStop, SIGTERM, SIGKILL when its grace is over. @returns its exit code, null where it was killed */
  stop(): Promise<number | null>;
}

export interface Miniature {
  /** @param more arguments after the chart's: of an option that is there, they go before those */
  run(component: string, ...more: string[]): Container;
  /** As a Deployment or a Job keeps it: another is started where one ends, but for the end of its work. */
  keep(component: string): Kept;
  /** Where a URL of a Service leads when it leads to this pod. @throws where it leads to none such */
  through(url: string, pod: Container): string;
}

export interface Kept {
  readonly current: () => Container;
}

/** @param secrets by name: the folder that stands for it */
export async function miniature(
  t: TestContext,
  objects: readonly Thing[],
  secrets: Readonly<Record<string, string>> = {},
): Promise<Miniature> {
  const folder = await scratchFolder(t);
  const network = ownNetwork();
  const natsAddress = `${network}.1`;
  let started = 1;
  /** Of the first of a component, for whom its Service stands. */
  const first = new Map([["nats", natsAddress]]);
  startChartNats(t, objects, { folder, hosts: [natsAddress] });
  for (const asked of questions(podOf(objects, "nats").spec.containers[0], natsAddress)) await content(asked);

  /** Where a name of a Service leads. */
  const led = (place: string): string | null => {
    const reached = reachedBy(objects, placesIn(place)[0]!);
    const its = reached?.pods.map((pod) => first.get(componentOf(pod)));
    return its?.[0] === undefined ? null : `${its[0]}:${reached!.port}`;
  };
  const run = (component: string, ...more: string[]): Container => {
    const { spec } = podOf(objects, component);
    const [container] = spec.containers;
    started += 1;
    const [address, name] = [`${network}.${started}`, `${component}-${started}`];
    if (!first.has(component)) first.set(component, address);
    const mounts = mountsOf(spec, join(folder, name), { objects, secrets });
    const here = (text: string) =>
      placed(text, mounts)
        .replaceAll("0.0.0.0", address)
        .replace(/[a-z][a-z0-9.-]*:\d+/g, (place) => led(place) ?? place);
    const args = expanded(container, { POD_IP: address, POD_NAME: name, POD_UID: `uid-${started}` });
    const env = container.env
      .map(({ name, value, valueFrom }: Thing) => [name, value ? here(value) : secretValue(valueFrom, objects)])
      .filter(([, value]: [string, string | undefined]) => value);
    const given = [...args.map(here), ...more];
    const running = start(given, Object.fromEntries(env), lasting);
    t.after(() => void running.process.kill("SIGKILL"));
    const asked = (httpGet: Thing) => askedAt({ httpGet }, container, address);
    const probes = questions(container, address);
    const gone = whenGone(name, running);
    const ready = async () => {
      for (const each of probes) await content(each, gone);
    };
    const readiness = probes.at(-1) ?? "";
    return { ...running, address, component, name, readiness, asked, ready, stop: () => stopped(running, spec) };
  };
  let isOver = false;
  t.after(() => {
    isOver = true;
  });
  const keep = (component: string): Kept => {
    let current = run(component);
    const isJob = podOf(objects, component).owner.kind === "Job";
    void (async () => {
      for (;;) {
        const { code, stderr } = await current.outcome;
        if (isOver || (isJob && code === 0)) return;
        // Nobody handles it: so it ends the test, which would wait for the end of a job that has not its workers.
        if (!inOrder.includes(code)) throw new Error(`${current.name} ended with code ${code}: ${stderr}`);
        current = run(component);
      }
    })();
    return { current: () => current };
  };
  const through = (url: string, { component, address }: Container): string => {
    const reached = reachedBy(objects, placesIn(new URL(url).host)[0]!);
    if (!reached?.pods.some((pod) => componentOf(pod) === component))
      throw new Error(`${url} leads to no ${component}`);
    return Object.assign(new URL(url), { host: `${address}:${reached.port}` }).href;
  };
  return { run, keep, through };
}

/** Of who is killed, has done its work, is to join again, was told to leave. */
const inOrder: readonly (number | null)[] = [null, 0, 75, 143];

/** What a kubelet asks, in this order; nothing of who ends by itself. */
function questions(container: Thing, address: string): string[] {
  const probes = [container.startupProbe, container.livenessProbe, container.readinessProbe];
  return probes.flatMap((probe) => (probe ? [askedAt(probe, container, address)] : []));
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
