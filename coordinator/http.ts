/** The HTTP port: /metrics for Prometheus, /healthz for whoever restarts processes, /state for people and scripts. */
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { Registry } from "prom-client";
import { type Endpoint, hostPort, portError } from "./endpoint.ts";
import type { JobStatus } from "./status.ts";

export interface HttpPort {
  /** host:port */
  readonly address: string;
  close(): Promise<void>;
}

type Page = readonly [contentType: string, text: string];

/** Throws `unavailable` where the port cannot be had. */
export async function serveHttp(endpoint: Endpoint, registry: Registry, status: () => JobStatus): Promise<HttpPort> {
  const pages: Readonly<Record<string, () => Page | Promise<Page>>> = {
    "/metrics": async () => [registry.contentType, await registry.metrics()],
    "/healthz": () => ["text/plain; charset=utf-8", "ok\n"],
    "/state": () => ["application/json", `${JSON.stringify(status(), null, 2)}\n`],
  };
  const server = createServer((request, response) => {
    const page = pages[new URL(request.url ?? "/", "http://localhost").pathname];
    const isReading = request.method === "GET" || request.method === "HEAD";
    if (!page || !isReading) {
      response.writeHead(page ? 405 : 404, { "content-type": "text/plain; charset=utf-8" });
      response.end(page ? "only GET\n" : `there is ${Object.keys(pages).join(", ")}\n`);
      return;
    }
    Promise.resolve(page()).then(
      ([contentType, text]) => response.writeHead(200, { "content-type": contentType }).end(text),
      (thrown: Error) => response.writeHead(500).end(`${thrown.message}\n`),
    );
  });
  await listen(server, endpoint);
  return {
    address: hostPort(endpoint.host, (server.address() as AddressInfo).port),
    async close() {
      server.close();
      server.closeAllConnections();
      await once(server, "close");
    },
  };
}

async function listen(server: Server, endpoint: Endpoint): Promise<void> {
  try {
    server.listen(endpoint.port, endpoint.host);
    await once(server, "listening");
  } catch (cause) {
    throw portError(endpoint, "--http", cause as Error);
  }
}
