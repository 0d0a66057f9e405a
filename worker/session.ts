/** The session with the coordinator: one stream, as long as the worker lives; a heartbeat says what it does and waits for (L7). */
import { setTimeout } from "node:timers/promises";
import type { ClientDuplexStream } from "@grpc/grpc-js";
import { LimbeckError } from "../core/errors.ts";
import type { CoordinatorClient } from "../proto/gen/limbeck/v1/Coordinator.ts";
import type { FromWorker } from "../proto/gen/limbeck/v1/FromWorker.ts";
import type { Hello } from "../proto/gen/limbeck/v1/Hello.ts";
import type { ToWorker__Output } from "../proto/gen/limbeck/v1/ToWorker.ts";
import { errorOfCall } from "../proto/status.ts";
import { coordinatorClient } from "../proto/wire.ts";
import type { Status } from "./context.ts";

const connectMs = 20_000;
const connectBiteMs = 200;
const closingMs = 1_000;

type Stream = ClientDuplexStream<FromWorker, ToWorker__Output>;

/** Throws `unavailable` where there is no coordinator, and the signal's reason. */
export async function joinCoordinator(
  at: { host: string; port: number },
  status: Status,
  signal: AbortSignal,
): Promise<Session> {
  signal.throwIfAborted();
  const address = `${at.host}:${at.port}`;
  const client = coordinatorClient(address);
  const deadline = Date.now() + connectMs;
  try {
    while (!(await isReadySoon(client))) {
      signal.throwIfAborted();
      if (Date.now() > deadline) {
        throw new LimbeckError("unavailable", `no coordinator answers at ${address} (tried for ${connectMs / 1000} s)`);
      }
    }
  } catch (thrown) {
    client.close();
    throw thrown;
  }
  return new Session(client.join(), address, status, () => client.close());
}

/** In small bites: closing a channel does not end grpc-js's wait for it. */
function isReadySoon(client: CoordinatorClient): Promise<boolean> {
  return new Promise((resolve) => client.waitForReady(Date.now() + connectBiteMs, (late) => resolve(!late)));
}

export class Session {
  readonly #stream: Stream;
  readonly #address: string;
  readonly #status: Status;
  readonly #closeChannel: () => void;
  /** The coordinator has answered the end of the stream, so it has read all that was sent; or the stream broke. */
  readonly #over: Promise<void>;
  #heartbeats: NodeJS.Timeout | undefined;
  #left = false;
  /** The term of the last Assign, 0 before it. */
  term = 0;

  constructor(stream: Stream, address: string, status: Status, closeChannel: () => void) {
    this.#stream = stream;
    this.#address = address;
    this.#status = status;
    this.#closeChannel = closeChannel;
    this.#over = new Promise((resolve) => stream.once("status", () => resolve()));
    stream.on("error", () => {}); // Thrown by messages(); when the worker is closing, how the stream ends matters no more.
  }

  hello(hello: Hello): void {
    this.send({ term: 0, hello });
  }

  send(message: FromWorker): void {
    if (this.#stream.writable) this.#stream.write(message);
  }

  beat(everyMs: number): void {
    clearInterval(this.#heartbeats);
    const heartbeat = () => {
      const residentBytes = process.memoryUsage.rss();
      const status = { ...this.#status, waitingFor: this.#status.waitingFor(), residentBytes };
      this.send({ term: this.term, heartbeat: status });
    };
    heartbeat();
    this.#heartbeats = setInterval(heartbeat, everyMs);
  }

  /** The coordinator's messages in order, until `leave` is called. Throws what it refuses with, `unavailable` when it goes away. */
  async *messages(): AsyncGenerator<ToWorker__Output> {
    try {
      // Who stops listening leaves the stream whole: what was sent last is still on its way.
      for await (const message of this.#stream.iterator({ destroyOnReturn: false })) yield message as ToWorker__Output;
    } catch (cause) {
      if (this.#left) return;
      throw errorOfCall(cause, `the session with the coordinator at ${this.#address} broke`);
    }
    if (!this.#left) throw new LimbeckError("unavailable", `the coordinator at ${this.#address} ended the session`);
  }

  /** The worker goes on its own account: what was sent still arrives, and the coordinator ends the stream, or it is cut. */
  leave(): void {
    this.#left = true;
    this.#stream.end();
    globalThis.setTimeout(() => this.#stream.cancel(), closingMs).unref();
  }

  /** Lets what was sent arrive, within bounds, and closes the channel. */
  async close(): Promise<void> {
    clearInterval(this.#heartbeats);
    this.#stream.end();
    this.#stream.resume(); // The answer to the end is found only by who reads.
    await Promise.race([this.#over, setTimeout(closingMs, undefined, { ref: false })]);
    this.#stream.cancel();
    this.#closeChannel();
  }
}
