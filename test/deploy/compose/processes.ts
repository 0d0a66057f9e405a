/**
 * The compose file's services as processes of this machine, each with an address of its own on loopback: what they are told, which
 * variables they have and what they wait for is taken from the file; names of services and mounted folders are replaced.
 */
import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync } from "node:fs";
import { join, resolve } from "node:path";
import type { TestContext } from "node:test";
import { setTimeout } from "node:timers/promises";
import { promisify } from "node:util";
import { packagePath } from "../../../proto/package.ts";
import { enginesFolder } from "../../../worker/engine/environment.ts";
import { lasting, type Running, start } from "../../e2e/limbeck.ts";
import { content, whenGone } from "../chart/probe.ts";
import { type Mounts, placed } from "../mounts.ts";
import { ownNetwork } from "../network.ts";
import { type Condition, deploy, interpolated, mountsOf, services } from "./services.ts";

export interface Composition {
  /** Starts it, when all that it depends on is as it wants it; one that is started already is the same. */
  run(name: string): Promise<Running>;
  /** `docker compose run SERVICE ARGS…` */
  instead(name: string, ...args: string[]): Running;
  /** host:port of a service. */
  at(name: string, port: number): string;
  /** Stops all, the servers they need last. */
  down(): Promise<void>;
}

/** @param folder of the volumes, which outlive it @param settings variables that the file is filled in with */
export function composition(
  t: TestContext,
  folder: string,
  settings: Readonly<Record<string, string>> = {},
): Composition {
  const network = ownNetwork();
  const addresses = new Map(Object.keys(services).map((name, index) => [name, `${network}.${index + 1}`]));
  const begun = new Map<string, Promise<Running>>();

  const launch = (name: string, args?: readonly string[]): Running => {
    const service = services[name]!;
    const mounts: Mounts = mountsOf(service, settings).map(({ source, target }) => {
      const own = /^[./]/.test(source) ? resolve(deploy, source) : join(folder, source);
      mkdirSync(own, { recursive: true });
      return [target, own];
    });
    const address = addresses.get(name)!;
    const here = (text: string) =>
      placed(interpolated(text, settings), mounts)
        .replaceAll("0.0.0.0", address)
        .replace(/([\w-]+)(?=:\d)/g, (host) => addresses.get(host) ?? host);
    const told = args ?? service.command!.map(here);
    const env = Object.entries(service.environment ?? {}).map(([variable, text]) => [variable, here(text)]);
    const running = service.build
      ? start(told, { ...imageOf(folder), ...Object.fromEntries(env) }, lasting)
      : server(["--addr", address, ...told]);
    t.after(() => void running.process.kill("SIGKILL"));
    return running;
  };

  const reached: Readonly<Record<Condition, (name: string, running: Running) => Promise<void>>> = {
    async service_completed_successfully(name, { outcome }) {
      const { code, stderr } = await outcome;
      assert.equal(code, 0, `${name}: ${stderr}`);
    },
    async service_healthy(name, running) {
      const gone = whenGone(name, running);
      const url = services[name]!.healthcheck?.test.at(-1);
      if (url === undefined) await imageIsContent(`/proc/${running.process.pid}/cmdline`, gone);
      else await content(Object.assign(new URL(url), { hostname: addresses.get(name) }).href);
    },
  };

  const run = (name: string): Promise<Running> => {
    const known = begun.get(name);
    if (known) return known;
    const running = (async () => {
      const needed = Object.entries(services[name]!.depends_on ?? {});
      await Promise.all(needed.map(async ([other, { condition }]) => reached[condition](other, await run(other))));
      return launch(name);
    })();
    begun.set(name, running);
    return running;
  };

  const end = async (names: readonly string[]) => {
    const running = await Promise.all(names.map((name) => begun.get(name)!));
    for (const { process: child } of running) child.kill("SIGTERM");
    await Promise.all(running.map(({ outcome }) => outcome));
  };

  return {
    run,
    instead: (name, ...args) => launch(name, args),
    at: (name, port) => `${addresses.get(name)}:${port}`,
    async down() {
      const names = [...begun.keys()];
      await end(names.filter((name) => services[name]!.build));
      await end(names.filter((name) => !services[name]!.build));
      begun.clear();
    },
  };
}

/** What the image sets; the engine is this machine's. */
function imageOf(folder: string): Record<string, string> {
  return { LIMBECK_CACHE: join(folder, "cache"), LIMBECK_ENGINES: enginesFolder() };
}

/** NATS is the only one that is no image's of ours. */
function server(args: readonly string[]): Running {
  const child = spawn("nats-server", args, { stdio: "ignore" });
  const outcome = once(child, "close").then(([code]) => ({ code: code as number | null, stdout: "", stderr: "" }));
  return { process: child, outcome };
}

const healthPauseMs = 300;

/** As its HEALTHCHECK finds. */
async function imageIsContent(commandLine: string, signal: AbortSignal): Promise<void> {
  const check = () => promisify(execFile)(process.execPath, [packagePath("deploy/docker/health.mjs"), commandLine]);
  for (;;) {
    try {
      await check();
      return;
    } catch {
      signal.throwIfAborted();
      await setTimeout(healthPauseMs);
    }
  }
}
