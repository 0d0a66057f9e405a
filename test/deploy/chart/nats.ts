/** The chart's NATS as a server of this machine, with its configuration and its users' passwords. */
import { spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { natsBinary } from "../../natsserver.ts";
import { podsOf, type Thing } from "./render.ts";

interface Place {
  /** Of its configuration and its data. */
  readonly folder: string;
  /** An address of loopback. */
  readonly host: string;
}

export function startChartNats(t: TestContext, objects: readonly Thing[], { folder, host }: Place): void {
  const config = join(folder, "nats.conf");
  const { data } = objects.find(({ kind, data }) => kind === "ConfigMap" && data["nats.conf"]);
  writeFileSync(config, data["nats.conf"].replaceAll("0.0.0.0", host).replace("/data", join(folder, "nats")));
  const env = { ...process.env, ...natsEnvironment(objects) };
  const server = spawn(natsBinary, ["--config", config], { env, stdio: "ignore" });
  t.after(() => void server.kill("SIGKILL"));
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

/** Of a Secret that the chart makes. */
export function secretValue(valueFrom: Thing, objects: readonly Thing[]): string | undefined {
  const { name, key } = valueFrom?.secretKeyRef ?? {};
  const found = objects.find(({ kind, metadata }) => kind === "Secret" && metadata.name === name)?.data?.[key];
  return found === undefined ? undefined : Buffer.from(found, "base64").toString();
}
