/** The coordinator as those see it who submit and watch a job. */
import type { ProgressEvent } from "../core/events.ts";
import { errorOfCall } from "./status.ts";
import { coordinatorClient } from "./wire.ts";

export interface CoordinatorClient {
  /** The job's events from the first one on, then live; ends with the job. Throws `unavailable` when the coordinator goes away. */
  watch(): AsyncGenerator<ProgressEvent>;
  /** Asks for an orderly stop of the job. */
  stop(why: string): Promise<void>;
  close(): void;
}

const stopDeadlineMs = 5_000;

/** @param address host:port */
export function connectCoordinator(address: string): CoordinatorClient {
  const client = coordinatorClient(address);
  const whom = `the coordinator at ${address}`;
  return {
    async *watch() {
      const call = client.watch({});
      call.on("error", () => {}); // Reported by the loop below, and of no interest once the caller has left it.
      try {
        for await (const { event } of call) yield JSON.parse(event);
      } catch (thrown) {
        throw errorOfCall(thrown, whom);
      } finally {
        call.cancel();
      }
    },
    stop: (why) =>
      new Promise((resolve, reject) => {
        const deadline = Date.now() + stopDeadlineMs;
        client.stop({ why }, { deadline }, (error) => (error ? reject(errorOfCall(error, whom)) : resolve()));
      }),
    close: () => client.close(),
  };
}
