/** The session with the coordinator: one stream, as long as the worker lives; a heartbeat says what it does and waits for (L7). */
import { once } from "node:events";
import type { ClientDuplexStream } from "@grpc/grpc-js";
import { LimbeckError } from "../core/errors.ts";
import type { FromWorker } from "../proto/gen/limbeck/v1/FromWorker.ts";
import type { Hello } from "../proto/gen/limbeck/v1/Hello.ts";
import type { ToWorker__Output } from "../proto/gen/limbeck/v1/ToWorker.ts";
import { coordinatorClient } from "../proto/wire.ts";
import type { Status } from "./context.ts";

const connectMs = 20_000;
const closingMs = 2_000;

type Stream = ClientDuplexStream<FromWorker, ToWorker__Output>;

/** Throws `unavailable` where there is no coordinator. */
export async function joinCoordinator(at: { host: string; port: number }, status: Status): Promise<Session> {
  const address = `${at.host}:${at.port}`;
  const client = coordinatorClient(address);
  await new Promise<void>((resolve, reject) => {
    client.waitForReady(Date.now() + connectMs, (cause) => {
      if (cause) reject(new LimbeckError("unavailable", `no coordinator answers at ${address}: ${cause.message}`, { cause }));
      else resolve();
    });
  });
  return new Session(client.join(), address, status, () => client.close());
}

export class Session {
  readonly #stream: Stream;
  readonly #address: string;
  readonly #status: Status;
  readonly #closeChannel: () => void;
  #heartbeats: NodeJS.Timeout | undefined;
  #left = false;
  /** The term of the last Assign, 0 before it. */
  term = 0;

  constructor(stream: Stream, address: string, status: Status, closeChannel: () => void) {
    this.#stream = stream;
    this.#address = address;
    this.#status = status;
    this.#closeChannel = closeChannel;
  }

  hello(hello: Hello): void {
    this.send({ term: 0, hello });
  }

  send(message: FromWorker): void {
    if (this.#stream.writable) this.#stream.write(message);
  }

  beat(everyMs: number): void {
    clearInterval(this.#heartbeats);
    const heartbeat = () => this.send({ term: this.term, heartbeat: { ...this.#status, waitingFor: this.#status.waitingFor(), residentBytes: process.memoryUsage.rss() } });
    heartbeat();
    this.#heartbeats = setInterval(heartbeat, everyMs);
  }

  /** The coordinator's messages in order, until it says stop or `leave` is called. Throws `unavailable` when it goes away. */
  async *messages(): AsyncGenerator<ToWorker__Output> {
    try {
      for await (const message of this.#stream) yield message as ToWorker__Output;
    } catch (cause) {
      throw new LimbeckError("unavailable", `the session with the coordinator at ${this.#address} broke: ${(cause as Error).message}`, { cause });
    }
    if (!this.#left) throw new LimbeckError("unavailable", `the coordinator at ${this.#address} ended the session`);
  }

  /** The worker goes on its own account: what was sent still arrives, and the coordinator ends the stream. */
  leave(): void {
    this.#left = true;
    this.#stream.end();
  }

  /** Lets what was sent arrive, within bounds, and closes the channel. */
  async close(): Promise<void> {
    clearInterval(this.#heartbeats);
    this.#stream.on("error", () => {}); // The channel closes: how the stream ends matters no more.
    if (!this.#stream.writableFinished) {
      this.#stream.end();
      await once(this.#stream, "finish", { signal: AbortSignal.timeout(closingMs) }).catch(() => {});
    }
    this.#stream.cancel();
    this.#closeChannel();
  }
}
