/** The coordinator as those see it who submit and watch a job. */
import { setTimeout } from "node:timers/promises";
import { backoffMs } from "../core/backoff.ts";
import type { LimbeckError } from "../core/errors.ts";
import type { ProgressEvent } from "../core/events.ts";
import { errorOfCall } from "./status.ts";
import { coordinatorClient } from "./wire.ts";

export interface CoordinatorClient {
  /** The job's events, then live; ends with the job. Throws `unavailable` when the coordinator goes away, unless patient. */
  watch(options?: WatchOptions): AsyncGenerator<ProgressEvent>;
  /** The same, each with its number from 1: the `from` of who goes on after it. */
  watchNumbered(options?: WatchOptions): AsyncGenerator<readonly [ProgressEvent, number]>;
  /** How the job is now: a JobStatus of the coordinator, JSON. Throws `unavailable` or `timeout` where none answers. */
  status(): Promise<string>;
  /** Asks for an orderly stop of the job. */
  stop(why: string): Promise<void>;
  close(): void;
}

export interface WatchOptions {
  /** Events to pass over, for one that watched before. */
  readonly from?: number;
  /** Where the coordinator goes away, wait for its return and go on with the next event, until this aborts. */
  readonly patientUntil?: AbortSignal;
  /** Only what was decided: no steps, and not what workers do from moment to moment. */
  readonly decisions?: boolean;
  /** End after the events that there are already. */
  readonly soFar?: boolean;
  /** Called each time it is found gone, while it is waited for. */
  readonly onAway?: (error: LimbeckError) => void;
}

const answerDeadlineMs = 5_000;
const reconnecting = { firstMs: 100, longestMs: 1_000 };

/** @param address host:port */
export function connectCoordinator(address: string): CoordinatorClient {
  const client = coordinatorClient(address);
  const whom = `the coordinator at ${address}`;
  return {
    async *watch(options) {
      for await (const [event] of this.watchNumbered(options)) yield event;
    },
    async *watchNumbered({ from = 0, patientUntil, decisions = false, soFar = false, onAway } = {}) {
      let had = from;
      for (let attempt = 0; ; attempt++) {
        const call = client.watch({ from: had, decisions, soFar });
        call.on("error", () => {}); // Reported by the loop below, and of no interest once the caller has left it.
        const cancel = () => call.cancel();
        patientUntil?.addEventListener("abort", cancel);
        try {
          for await (const { event, after } of call) {
            had = after;
            attempt = 0;
            yield [JSON.parse(event), after];
          }
          return;
        } catch (thrown) {
          const error = errorOfCall(thrown, whom);
          patientUntil?.throwIfAborted();
          if (!patientUntil || error.code !== "unavailable") throw error;
          onAway?.(error);
        } finally {
          patientUntil?.removeEventListener("abort", cancel);
          call.cancel();
        }
        const wait = { signal: patientUntil };
        await setTimeout(backoffMs(reconnecting, attempt, Math.random()), undefined, wait).catch(() => {});
        patientUntil.throwIfAborted();
      }
    },
    status: () =>
      new Promise((resolve, reject) => {
        const deadline = Date.now() + answerDeadlineMs;
        client.status({}, { deadline }, (error, reply) =>
          error ? reject(errorOfCall(error, whom)) : resolve(reply!.status),
        );
      }),
    stop: (why) =>
      new Promise((resolve, reject) => {
        const deadline = Date.now() + answerDeadlineMs;
        client.stop({ why }, { deadline }, (error) => (error ? reject(errorOfCall(error, whom)) : resolve()));
      }),
    close: () => client.close(),
  };
}
