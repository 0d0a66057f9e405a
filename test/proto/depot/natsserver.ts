/** One nats-server with JetStream on a free port, for what needs no more than that. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { freePort } from "../../freeport.ts";

/** @returns host:port, once it answers; null where nats-server is not installed */
export async function startNats(test: TestContext, folder: string): Promise<string | null> {
  const { port } = await freePort();
  const args = ["-js", "-a", "127.0.0.1", "-p", String(port), "-sd", join(folder, "nats")];
  const server = spawn("nats-server", args, { stdio: "ignore" });
  const failed = once(server, "error").then(() => null);
  test.after(async () => {
    if (server.exitCode === null && server.pid !== undefined) {
      server.kill("SIGKILL");
      await once(server, "exit");
    }
  });
  return await Promise.race([failed, once(server, "spawn").then(() => `127.0.0.1:${port}`)]);
}
