/** The main thread's handle on the compute thread: TensorFlow blocks the thread that calls it, so that one does nothing else. */
import { Worker } from "node:worker_threads";
import { LimbeckError, type LimbeckErrorCode } from "../../core/errors.ts";
import type { AnswerMessage, RequestKind, Requests } from "./protocol.ts";

interface Waiting {
  resolve(answer: unknown): void;
  reject(error: LimbeckError): void;
}

export class Device {
  readonly #thread: Worker;
  readonly #waiting = new Map<number, Waiting>();
  #next = 1;
  #dead: LimbeckError | null = null;

  constructor() {
    this.#thread = new Worker(new URL("./thread.js", import.meta.url));
    this.#thread.on("message", (message: AnswerMessage) => this.#settle(message));
    this.#thread.on("error", (cause) =>
      this.#die(new LimbeckError("internal", `the compute thread failed: ${cause.message}`, { cause })),
    );
    this.#thread.on("exit", (code) =>
      this.#die(new LimbeckError("internal", `the compute thread ended with code ${code}`)),
    );
  }

  /** Asks and waits for the answer. Has no deadline of its own: the thread's death rejects, and its work is finite. */
  ask<K extends RequestKind>(kind: K, ask: Requests[K]["ask"]): Promise<Requests[K]["answer"]> {
    if (this.#dead) return Promise.reject(this.#dead);
    const id = this.#next++;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve: resolve as (answer: unknown) => void, reject });
      this.#thread.postMessage({ id, kind, ask });
    });
  }

  async close(): Promise<void> {
    this.#die(new LimbeckError("stopped", "the compute thread was closed"));
    await this.#thread.terminate();
  }

  #settle(message: AnswerMessage): void {
    const waiting = this.#waiting.get(message.id);
    this.#waiting.delete(message.id);
    if ("code" in message) waiting?.reject(new LimbeckError(message.code as LimbeckErrorCode, message.message));
    else waiting?.resolve(message.answer);
  }

  #die(error: LimbeckError): void {
    this.#dead ??= error;
    for (const waiting of this.#waiting.values()) waiting.reject(this.#dead);
    this.#waiting.clear();
  }
}
