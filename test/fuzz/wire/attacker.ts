/** Speaks HTTP/2 as the generated clients would not: any bytes, any order, and it need not read. */
import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect,
  constants,
  type OutgoingHttpHeaders,
} from "node:http2";
import { connect as connectTcp, type Socket } from "node:net";
import { setImmediate } from "node:timers/promises";
import { connect as connectTls, type SecureContextOptions } from "node:tls";

/** Of certificates; undefined without TLS. */
export type Shown = SecureContextOptions | undefined;

/** How many calls there were, and what came of them. */
export interface Tally {
  calls: number;
  messages: number;
  /** By gRPC status, or by how the call ended without one. */
  readonly statuses: Record<string, number>;
}

const sharedSessions = 6;
const endedMs = 700;

export class Attacker {
  readonly host: string;
  readonly port: number;
  readonly #shown: Shown;
  readonly #sockets = new Set<Socket>();
  readonly #sessions = new Set<ClientHttp2Session>();
  readonly #shared: (ClientHttp2Session | undefined)[] = [];
  #turn = 0;

  /** @param address host:port */
  constructor(address: string, shown: Shown) {
    const at = address.lastIndexOf(":");
    [this.host, this.port] = [address.slice(0, at), Number(address.slice(at + 1))];
    this.#shown = shown;
  }

  /** A connection of TCP alone, over which nothing has been said. */
  raw(): Socket {
    const socket = connectTcp(this.port, this.host);
    this.#sockets.add(socket);
    socket.on("error", () => {});
    socket.once("close", () => this.#sockets.delete(socket));
    return socket;
  }

  /** A connection of HTTP/2. */
  session(): ClientHttp2Session {
    const session = connect(`http${this.#shown ? "s" : ""}://${this.host}:${this.port}`, {
      createConnection: () => {
        if (!this.#shown) return this.raw();
        const trusting = { ALPNProtocols: ["h2"], rejectUnauthorized: false };
        const socket = connectTls({ ...this.#shown, ...trusting, socket: this.raw() });
        return socket.on("error", () => {});
      },
    });
    session.on("error", () => {});
    this.#sessions.add(session);
    session.once("close", () => this.#sessions.delete(session));
    return session;
  }

  /** One of a few, in turn, that are used until they break. */
  get shared(): ClientHttp2Session {
    const at = this.#turn++ % sharedSessions;
    const before = this.#shared[at];
    if (before && !before.closed && !before.destroyed) return before;
    const session = this.session();
    this.#shared[at] = session;
    return session;
  }

  get connections(): number {
    return this.#sockets.size;
  }

  /** Cuts all connections; in a turn of its own, for Node 20 loops for ever in a session that is destroyed as one of its calls closes. */
  async close(): Promise<void> {
    await setImmediate();
    for (const session of this.#sessions) session.destroy();
    for (const socket of this.#sockets) socket.destroy();
  }
}

/** A message as it goes over the wire. @param length if it lies */
export function framed(message: Uint8Array, { flag = 0, length = message.length } = {}): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt8(flag, 0);
  head.writeUInt32BE(length, 1);
  return Buffer.concat([head, message]);
}

export function open(session: ClientHttp2Session, path: string, more: OutgoingHttpHeaders = {}): ClientHttp2Stream {
  const stream = session.request(
    { ":method": "POST", ":path": path, "content-type": "application/grpc", te: "trailers", ...more },
    { endStream: false },
  );
  stream.on("error", () => {});
  return stream;
}

/** Counts how the stream ends, and cuts it where it does not. Reads what comes. */
export function settled(stream: ClientHttp2Stream, tally: Tally, withinMs = endedMs): Promise<string> {
  return new Promise((resolve) => {
    let status = "";
    const heard = (headers: Readonly<Record<string, unknown>>) => {
      if (headers["grpc-status"] !== undefined) status = String(headers["grpc-status"]);
      else if (headers[":status"] !== undefined && headers[":status"] !== 200) status = `http ${headers[":status"]}`;
    };
    let isOver = false;
    const over = () => {
      if (isOver) return;
      isOver = true;
      clearTimeout(late);
      const how = status || `reset ${stream.rstCode}`;
      tally.statuses[how] = (tally.statuses[how] ?? 0) + 1;
      resolve(how);
    };
    const late = setTimeout(() => {
      status ||= "open";
      stream.close(constants.NGHTTP2_CANCEL);
      over(); // One that waits for its turn on a connection that is closing is never closed.
    }, withinMs);
    stream.on("response", heard).on("trailers", heard).resume();
    stream.once("close", over);
  });
}
