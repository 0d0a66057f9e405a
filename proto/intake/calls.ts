/**
 * What calls may hold of a server, all together. grpc-js bounds the size of one message, and neither how many calls are open
 * nor how many messages have begun: a thousand calls with half a message each would hold as many times 64 MiB. Where there is
 * too much, who holds most goes: whoever means well holds little, so it is not turned away for others.
 */
import { constants, type Http2Server, type IncomingHttpHeaders, type ServerHttp2Stream } from "node:http2";
import { status } from "@grpc/grpc-js";
import { Framing } from "./framing.ts";

export interface CallLimits {
  /** Open at once, over all connections. */
  readonly calls: number;
  /** Of all messages that have begun and are not complete. */
  readonly partialBytes: number;
  /** From a message's first byte to its last. */
  readonly messageMs: number;
  /** For the caller to end a call that was answered. */
  readonly lingerMs: number;
}

const usualLimits: CallLimits = {
  calls: 4_096,
  partialBytes: 128 * 2 ** 20,
  messageMs: 60_000,
  lingerMs: 5_000,
};

type Handle = (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => void;

/** Comes between a server of grpc-js, which has its one handler of streams already, and its connections. */
export function boundCalls(server: Http2Server, limits: Partial<CallLimits> = {}): void {
  const handlers = server.listeners("stream") as Handle[];
  const [handle] = handlers;
  if (!handle || handlers.length > 1) throw new Error("a gRPC server should have one handler of streams");
  const open = new OpenCalls({ ...usualLimits, ...limits });
  server.removeAllListeners("stream");
  server.on("stream", (stream, headers) => {
    stream.on("error", () => {});
    // Over before it is looked at: to answer it would throw, and nobody would catch that.
    if (stream.destroyed || stream.closed) return;
    const encoding = headers["grpc-encoding"] ?? "identity";
    if (encoding !== "identity") {
      // Nobody of ours compresses, and a thousand small messages that unpack to 64 MiB each would be unpacked at once.
      end(stream, status.UNIMPLEMENTED, `messages are taken as they are, not compressed by ${String(encoding)}`);
      return;
    }
    open.add(stream);
    if (stream.closed) return;
    handle(stream, headers);
    open.follow(stream);
  });
}

interface Call {
  readonly stream: ServerHttp2Stream;
  readonly connection: object;
  readonly framing: Framing;
  /** Of the message that is under way; null between two. */
  begunMs: number | null;
  /** When it was first seen that all of the answer has been sent. */
  answeredMs: number | null;
}

const sweepMs = 1_000;

class OpenCalls {
  readonly #limits: CallLimits;
  readonly #calls = new Map<ServerHttp2Stream, Call>();
  /** By connection, in the order in which they were opened. */
  readonly #connections = new Map<object, Set<Call>>();
  #partialBytes = 0;
  #sweep: NodeJS.Timeout | null = null;

  constructor(limits: CallLimits) {
    this.#limits = limits;
  }

  add(stream: ServerHttp2Stream): void {
    const connection = stream.session ?? stream;
    const call: Call = { stream, connection, framing: new Framing(), begunMs: null, answeredMs: null };
    this.#calls.set(stream, call);
    const those = this.#connections.get(connection) ?? new Set();
    this.#connections.set(connection, those.add(call));
    stream.once("close", () => this.#remove(call));
    this.#sweep ??= setInterval(() => this.#look(performance.now()), sweepMs).unref();
    if (this.#calls.size <= this.#limits.calls) return;
    const [last] = [...this.#mostCalls()].slice(-1);
    const why = `more than ${this.#limits.calls} calls are open here, and this connection has most of them`;
    if (last) end(last.stream, status.RESOURCE_EXHAUSTED, why);
  }

  /** Counts what comes; only where somebody reads it, for to listen would be to read. */
  follow(stream: ServerHttp2Stream): void {
    const call = this.#calls.get(stream);
    if (!call || stream.readableFlowing === null) return;
    stream.on("data", (chunk: Uint8Array) => this.#came(call, chunk));
  }

  #came(call: Call, chunk: Uint8Array): void {
    if (!this.#calls.has(call.stream)) return;
    const { framing } = call;
    const before = framing.partial;
    const isOneComplete = framing.take(chunk);
    this.#partialBytes += framing.partial - before;
    if (framing.partial === 0) call.begunMs = null;
    else if (isOneComplete || call.begunMs === null) call.begunMs = performance.now();
    while (this.#partialBytes > this.#limits.partialBytes) {
      const largest = this.#largest();
      const why = `messages of ${this.#limits.partialBytes} bytes are incomplete here, and this one is the largest`;
      this.#remove(largest);
      // Not while Node reads from the connection.
      setImmediate(() => end(largest.stream, status.RESOURCE_EXHAUSTED, why));
    }
  }

  #largest(): Call {
    let most: Call | null = null;
    for (const call of this.#calls.values()) if (call.framing.partial > (most?.framing.partial ?? -1)) most = call;
    return most!;
  }

  /** Of the connection that has most; of several the newest. */
  #mostCalls(): ReadonlySet<Call> {
    let most: ReadonlySet<Call> = new Set();
    for (const those of this.#connections.values()) if (those.size >= most.size) most = those;
    return most;
  }

  #look(nowMs: number): void {
    const { messageMs, lingerMs } = this.#limits;
    for (const call of this.#calls.values()) {
      const { stream, begunMs } = call;
      if (begunMs !== null && nowMs - begunMs > messageMs) {
        end(stream, status.DEADLINE_EXCEEDED, `a message was not complete ${messageMs / 1_000} s after it had begun`);
      } else if (stream.writableFinished) {
        call.answeredMs ??= nowMs;
        if (nowMs - call.answeredMs > lingerMs) stream.close(constants.NGHTTP2_NO_ERROR);
      }
    }
  }

  #remove(call: Call): void {
    if (!this.#calls.delete(call.stream)) return;
    this.#partialBytes -= call.framing.partial;
    const those = this.#connections.get(call.connection)!;
    those.delete(call);
    if (those.size === 0) this.#connections.delete(call.connection);
    if (this.#calls.size > 0 || !this.#sweep) return;
    clearInterval(this.#sweep);
    this.#sweep = null;
  }
}

/** Nothing more is read of it: only its end gives back what has come of a message. */
function end(stream: ServerHttp2Stream, code: status, why: string): void {
  if (stream.destroyed || stream.closed) return;
  if (stream.headersSent) {
    stream.close(constants.NGHTTP2_ENHANCE_YOUR_CALM);
    return;
  }
  const grpc = { "content-type": "application/grpc+proto", "grpc-status": code, "grpc-message": encodeURI(why) };
  stream.respond({ ":status": 200, ...grpc }, { endStream: true });
  stream.close(constants.NGHTTP2_NO_ERROR);
}
