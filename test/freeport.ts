/** For a process that must be told its port, and does not say which one it got. */
import { createServer } from "node:net";

/** Below the ports that the system gives to connections: nobody takes it before the process that is told of it listens. */
export async function freePort(): Promise<{ host: string; port: number }> {
  for (;;) {
    const port = 15_000 + Math.floor(Math.random() * 15_000);
    const server = createServer().listen(port, "127.0.0.1");
    const isFree = await new Promise<boolean>((resolve) => {
      server.once("listening", () => resolve(true));
      server.once("error", () => resolve(false));
    });
    if (!isFree) continue;
    await new Promise((resolve) => server.close(resolve));
    return { host: "127.0.0.1", port };
  }
}

/** host:port of such a one. */
export async function freeAddress(): Promise<string> {
  const { host, port } = await freePort();
  return `${host}:${port}`;
}
