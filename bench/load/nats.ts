/** A nats-server with JetStream for a benchmark. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { connectNats } from "../../proto/nats.ts";
import { freePort } from "../../test/freeport.ts";
import { natsBinary } from "../../test/natsserver.ts";

export interface BenchNats {
  readonly url: string;
  stop(): void;
}

/** null where it is not installed. */
export async function startNatsServer(folder: string): Promise<BenchNats | null> {
  const { host, port } = await freePort();
  const child = spawn(natsBinary, ["-a", host, "-p", String(port), "-js", "-sd", folder], { stdio: "ignore" });
  const started = await Promise.race([once(child, "spawn").then(() => true), once(child, "error").then(() => false)]);
  if (!started) return null;
  const url = `nats://${host}:${port}`;
  for (let attempt = 0; ; attempt++) {
    try {
      const nats = await connectNats({ urls: [url], name: "bench" });
      await nats.connection.close();
      return { url, stop: () => void child.kill() };
    } catch (thrown) {
      if (attempt === 50) throw thrown;
    }
    await sleep(100);
  }
}
