/** The compute thread: answers requests in order, on one engine. */
import { parentPort } from "node:worker_threads";
import { asLimbeckError } from "../../core/errors.ts";
import { Computation } from "./computation.ts";
import type { RequestMessage } from "./protocol.ts";

const port = parentPort!;
const computation = new Computation();
let last: Promise<void> = Promise.resolve();

async function answer({ id, kind, ask }: RequestMessage): Promise<void> {
  try {
    port.postMessage({ id, answer: await computation.perform(kind, ask as never) });
  } catch (thrown) {
    const error = asLimbeckError(thrown);
    const detail = error.code === "internal" && error.cause instanceof Error ? `\n${error.cause.stack}` : "";
    port.postMessage({ id, code: error.code, message: error.message + detail });
  }
}

port.on("message", (message: RequestMessage) => {
  last = last.then(() => answer(message));
});
