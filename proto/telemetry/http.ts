/** A process's HTTP port: pages that are read, each made when it is asked for. */
import { once } from "node:events";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { type Endpoint, hostPort, portError } from "../endpoint.ts";
import type { HttpAccess } from "./httpaccess.ts";
import { answerText, boundedServer, type HttpBounds, plainText, targetOf } from "./httpserver.ts";

export interface HttpPort {
  /** host:port */
  readonly address: string;
  readonly paths: readonly string[];
  close(): Promise<void>;
}

export type Page = readonly [contentType: string, text: string];

/** By path. Each is told the headers Accept and Host, empty where there are none. */
export interface Pages {
  readonly [path: string]: (accept: string, host: string) => Page | Promise<Page>;
}

/** @param asked what is asked for: its path and query count, its host does not */
export type Handler = (request: IncomingMessage, response: ServerResponse, asked: URL) => void | Promise<void>;

/** By path: what answers a GET by itself; one that ends in /* all that is below it. */
export interface Handlers {
  readonly [path: string]: Handler;
}

/** For whoever restarts processes. */
export const alive = (): Page => [plainText, "ok\n"];

/** For whoever chooses whom to ask: 503 with the trouble, where there is some. */
export function ready(trouble: string, text: string): Page {
  if (trouble !== "") throw new Error(trouble);
  return [plainText, `${text}\n`];
}

export function json(value: unknown): Page {
  return ["application/json", `${JSON.stringify(value, null, 2)}\n`];
}

function handlerOf(handlers: Handlers, path: string): Handler | undefined {
  if (Object.hasOwn(handlers, path)) return handlers[path];
  const above = Object.keys(handlers).find((each) => each.endsWith("/*") && path.startsWith(each.slice(0, -1)));
  return above === undefined ? undefined : handlers[above];
}

/** Of every answer; a handler may say more. */
const safeHeaders: Readonly<Record<string, string>> = {
  "cache-control": "no-store",
  "content-security-policy": "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  "cross-origin-resource-policy": "same-origin",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
};

export interface Served {
  readonly handlers?: Handlers;
  /** If not given, whoever reaches the port may read it. */
  readonly access?: HttpAccess | undefined;
  /** The usual ones, if not given. */
  readonly bounds?: Partial<HttpBounds>;
}

/** Throws `unavailable` where the port cannot be had; the option `--http` chooses another. */
export async function servePages(
  endpoint: Endpoint,
  pages: Pages,
  { handlers = {}, access, bounds }: Served = {},
): Promise<HttpPort> {
  const server = boundedServer(async (request, response) => {
    for (const [name, value] of Object.entries(safeHeaders)) response.setHeader(name, value);
    const asked = targetOf(request);
    if (!asked) return answerText(response, 400, "this is no path of a page");
    const { pathname } = asked;
    if (access && !access.admits(request, response, pathname)) return;
    const page = Object.hasOwn(pages, pathname) ? pages[pathname] : undefined;
    const handler = handlerOf(handlers, pathname);
    const isReading = request.method === "GET" || request.method === "HEAD";
    if (!page && !handler) return answerText(response, 404, `there is ${Object.keys(pages).join(", ")}`);
    if (!isReading) return answerText(response, 405, "only GET");
    // What a handler opens need not end.
    if (!page) return request.method === "HEAD" ? void response.end() : await handler!(request, response, asked);
    await answerPage(response, () => page(request.headers.accept ?? "", request.headers.host ?? ""));
  }, bounds);
  try {
    server.listen(endpoint.port, endpoint.host);
    await once(server, "listening");
  } catch (cause) {
    throw portError(endpoint, "--http", cause as Error);
  }
  // Of one connection that could not be accepted; the others are served.
  server.on("error", () => {});
  return {
    address: hostPort(endpoint.host, (server.address() as AddressInfo).port),
    paths: Object.keys(pages),
    async close() {
      server.close();
      server.closeAllConnections();
      await once(server, "close");
    },
  };
}

/** With 503 and why, where it cannot be made now. */
export async function answerPage(response: ServerResponse, page: () => Page | Promise<Page>): Promise<void> {
  try {
    const [contentType, made] = await page();
    response.writeHead(200, { "content-type": contentType }).end(made);
  } catch (thrown) {
    answerText(response, 503, (thrown as Error).message);
  }
}
