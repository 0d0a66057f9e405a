/** The chart's NATS as a server of this machine, with its configuration and its users' passwords. */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { natsBinary } from "../../natsserver.ts";
import { podOf, said, type Thing } from "./render.ts";

interface Place {
  /** Of its configuration and its data. */
  readonly folder: string;
  /** Addresses of loopback, of each server. */
  readonly hosts: readonly string[];
}

export interface ChartNats {
  readonly host: string;
  readonly process: ChildProcess;
  /** What a container would execute, here. @throws what it wrote to stderr */
  execute(command: readonly string[]): void;
}

/** One server for each address. */
export function startChartNats(t: TestContext, objects: readonly Thing[], { folder, hosts }: Place): ChartNats[] {
  const { data } = objects.find(({ kind, data }) => kind === "ConfigMap" && data["nats.conf"]);
  return hosts.map((host, at) => {
    const own = join(folder, `nats-${at}`);
    const config = join(own, "nats.conf");
    const here = (text: string) => text.replaceAll("/data", own);
    const text = data["nats.conf"]
      .replaceAll("0.0.0.0", host)
      .replace(/[a-z-]+-nats-(\d)\.[a-z-]+-routes/g, (_: string, index: string) => hosts[Number(index)]);
    mkdirSync(own);
    writeFileSync(config, here(text));
    const env = { ...process.env, ...natsEnvironment(objects, at) };
    const server = spawn(natsBinary, ["--config", config], { env, stdio: "ignore" });
    t.after(() => void server.kill("SIGKILL"));
    return {
      host,
      process: server,
      execute: ([file, ...args]) => void said(file!, args.map(here)),
    };
  });
}

/** Of the container of the server with this index: its name, and the passwords of its users. */
export function natsEnvironment(objects: readonly Thing[], index = 0): Record<string, string> {
  const { spec } = podOf(objects, "nats");
  const variables = spec.containers[0].env.map(({ name, valueFrom }: Thing) => [
    name,
    secretValue(valueFrom, objects) ?? `limbeck-nats-${index}`,
  ]);
  return Object.fromEntries(variables);
}

/** Of a Secret that the chart makes. */
export function secretValue(valueFrom: Thing, objects: readonly Thing[]): string | undefined {
  const { name, key } = valueFrom?.secretKeyRef ?? {};
  const found = objects.find(({ kind, metadata }) => kind === "Secret" && metadata.name === name)?.data?.[key];
  return found === undefined ? undefined : Buffer.from(found, "base64").toString();
}
