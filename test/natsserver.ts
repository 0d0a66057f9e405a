/** Real nats-servers with JetStream on free ports of the loopback, in a folder of the test's; nothing is left of them. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { scratchFolder } from "./e2e/limbeck.ts";
import { freePort } from "./freeport.ts";
import type { Scope } from "./scope.ts";

export const natsBinary = "nats-server";

export interface NatsServer {
  /** nats://127.0.0.1:PORT */
  readonly url: string;
  /** Ends it in good order. */
  stop(): Promise<void>;
  /** kill -9; resolves when it is gone. */
  kill(): Promise<void>;
  /** The same port, the same folder. */
  restart(): Promise<void>;
  /** SIGSTOP: it keeps its connections and answers nothing. */
  pause(): void;
  resume(): void;
}

export interface NatsSettings {
  /** Lines of its configuration: "max_payload: 4096". */
  readonly lines?: readonly string[];
  readonly jetStream?: "on" | "off";
  /** Lines of it within jetstream: "max_file_store: 20MB". */
  readonly store?: readonly string[];
}

const readyMs = 20_000;

export async function startNats(t: Scope, settings: NatsSettings = {}): Promise<NatsServer> {
  const { port } = await freePort();
  const folder = await scratchFolder(t);
  const server = serverIn(t, folder, { name: "single", port, ...settings });
  await server.restart();
  return server;
}

/** Three that know each other; JetStream needs two of them. @param up so many of them are started */
export async function startNatsCluster(t: Scope, up = 3): Promise<NatsServer[]> {
  const ports = await differentPorts(6);
  const routes = ports.slice(3).map((port) => `nats://127.0.0.1:${port}`);
  const folder = await scratchFolder(t);
  const servers = await Promise.all(
    [0, 1, 2].map(async (at) => {
      const own = join(folder, `n${at}`);
      await mkdir(own);
      const cluster = `cluster { name: limbeck, listen: "127.0.0.1:${ports[3 + at]}", routes: [${routes.join(", ")}] }`;
      return serverIn(t, own, { name: `n${at}`, port: ports[at]!, lines: [cluster] });
    }),
  );
  await Promise.all(servers.slice(0, up).map((server) => server.restart()));
  return servers;
}

async function differentPorts(count: number): Promise<number[]> {
  const ports = new Set<number>();
  while (ports.size < count) ports.add((await freePort()).port);
  return [...ports];
}

interface Place extends NatsSettings {
  readonly name: string;
  readonly port: number;
}

function serverIn(
  t: Scope,
  folder: string,
  { name, port, lines = [], store = [], jetStream = "on" }: Place,
): NatsServer {
  const config = join(folder, "nats.conf");
  const own = [`store_dir: "${join(folder, "store")}"`, ...store];
  const jet = jetStream === "on" ? ["jetstream {", ...own, "}"] : [];
  writeFileSync(config, [`server_name: ${name}`, `listen: "127.0.0.1:${port}"`, ...jet, ...lines, ""].join("\n"));
  let child: ChildProcess | null = null;
  const end = async (signal: "SIGTERM" | "SIGKILL") => {
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, "close");
    child.kill(signal);
    child.kill("SIGCONT");
    await gone;
  };
  t.after(() => end("SIGKILL"));
  return {
    url: `nats://127.0.0.1:${port}`,
    stop: () => end("SIGTERM"),
    kill: () => end("SIGKILL"),
    async restart() {
      await end("SIGKILL");
      child = spawn(natsBinary, ["-c", config], { stdio: ["ignore", "ignore", "pipe"] });
      await ready(child);
    },
    pause: () => void child?.kill("SIGSTOP"),
    resume: () => void child?.kill("SIGCONT"),
  };
}

async function ready(child: ChildProcess): Promise<void> {
  const said: string[] = [];
  const deadline = setTimeout(() => child.kill("SIGKILL"), readyMs);
  try {
    const log = createInterface(child.stderr!);
    for await (const line of log) {
      said.push(line);
      if (line.includes("Server is ready")) return;
    }
  } finally {
    clearTimeout(deadline);
    child.stderr!.resume();
  }
  throw new Error(`${natsBinary} ended: ${said.slice(-5).join("\n")}`);
}
