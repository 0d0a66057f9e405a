/**
 * A server of HTTP that nobody who reaches it can end, or fill: what a connection may cost is bounded, and what goes wrong
 * with a request is that request's.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";

export interface HttpBounds {
  /** Until all headers are there; a connection that never begins a request ends then, too. */
  readonly headersMs: number;
  /** Until the whole request is there, with its body. */
  readonly requestMs: number;
  /** Between two requests of one connection. */
  readonly keptMs: number;
  /** Without a byte either way: of an answer that is not read, too. A page's stream says something every 10 s. */
  readonly silentMs: number;
  /** Of all headers together. */
  readonly headerBytes: number;
  /** More of one request are not looked at. */
  readonly headers: number;
  /** One more is closed at once. */
  readonly connections: number;
}

const usualBounds: HttpBounds = {
  ...{ headersMs: 10_000, requestMs: 15_000, keptMs: 5_000, silentMs: 60_000 },
  ...{ headerBytes: 16_384, headers: 100, connections: 1_000 },
};

/** How exactly times are kept. */
const checkMs = 1_000;

export const plainText = "text/plain; charset=utf-8";

export type Answering = (request: IncomingMessage, response: ServerResponse) => void | Promise<void>;

/** @param answer what it throws, at once or later, is answered with 500 */
export function boundedServer(answer: Answering, given: Partial<HttpBounds> = {}): Server {
  const bounds = { ...usualBounds, ...given };
  const server = createServer(
    {
      maxHeaderSize: bounds.headerBytes,
      headersTimeout: bounds.headersMs,
      requestTimeout: bounds.requestMs,
      keepAliveTimeout: bounds.keptMs,
      connectionsCheckingInterval: Math.min(checkMs, bounds.headersMs),
    },
    (request, response) => {
      // Who has gone is told nothing more: that is no fault of this process.
      response.on("error", () => {});
      const answered = async () => answer(request, response);
      answered().catch((thrown: unknown) => failed(response, thrown));
    },
  );
  server.timeout = bounds.silentMs;
  server.maxHeadersCount = bounds.headers;
  server.maxConnections = bounds.connections;
  return server;
}

function failed(response: ServerResponse, thrown: unknown): void {
  if (response.headersSent) return void response.destroy();
  answerText(response, 500, thrown instanceof Error ? thrown.message : "it failed");
}

/** For what is no page. */
export function answerText(response: ServerResponse, status: number, sentence: string): void {
  response.writeHead(status, { "content-type": plainText }).end(`${sentence}\n`);
}

/**
 * What is asked for, as a URL of a host that means nothing: whatever host a request names, its path is asked of this server.
 * Null where its target is none: CONNECT's host, OPTIONS' *, an absolute one that cannot be read.
 */
export function targetOf({ url = "" }: IncomingMessage): URL | null {
  // Read against a host, "//" would be the beginning of another, and no URL.
  const text = url.startsWith("/") ? `http://localhost${url}` : url;
  return /^https?:\/\//i.test(text) && URL.canParse(text) ? new URL(text) : null;
}
