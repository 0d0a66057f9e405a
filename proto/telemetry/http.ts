/** A process's HTTP port: pages that are read, each made when it is asked for. */
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { type Endpoint, hostPort, portError } from "../endpoint.ts";

export interface HttpPort {
  /** host:port */
  readonly address: string;
  close(): Promise<void>;
}

export type Page = readonly [contentType: string, text: string];

/** By path. Each is told the headers Accept and Host, empty where there are none. */
export interface Pages {
  readonly [path: string]: (accept: string, host: string) => Page | Promise<Page>;
}

/** For whoever restarts processes. */
export const alive = (): Page => ["text/plain; charset=utf-8", "ok\n"];

export function json(value: unknown): Page {
  return ["application/json", `${JSON.stringify(value, null, 2)}\n`];
}

/** Throws `unavailable` where the port cannot be had; the option `--http` chooses another. */
export async function servePages(endpoint: Endpoint, pages: Pages): Promise<HttpPort> {
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? "/", "http://localhost");
    const page = Object.hasOwn(pages, pathname) ? pages[pathname] : undefined;
    const isReading = request.method === "GET" || request.method === "HEAD";
    if (!page || !isReading) {
      response.writeHead(page ? 405 : 404, { "content-type": "text/plain; charset=utf-8" });
      response.end(page ? "only GET\n" : `there is ${Object.keys(pages).join(", ")}\n`);
      return;
    }
    const made = async () => page(request.headers.accept ?? "", request.headers.host ?? "");
    made().then(
      ([contentType, text]) => response.writeHead(200, { "content-type": contentType }).end(text),
      (thrown: Error) => response.writeHead(500).end(`${thrown.message}\n`),
    );
  });
  try {
    server.listen(endpoint.port, endpoint.host);
    await once(server, "listening");
  } catch (cause) {
    throw portError(endpoint, "--http", cause as Error);
  }
  return {
    address: hostPort(endpoint.host, (server.address() as AddressInfo).port),
    async close() {
      server.close();
      server.closeAllConnections();
      await once(server, "close");
    },
  };
}
