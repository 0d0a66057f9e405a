/** The coordinator as those see it who submit and watch a job. */
import { setTimeout } from "node:timers/promises";
import { backoffMs } from "../core/backoff.ts";
import type { LimbeckError } from "../core/errors.ts";
import type { ProgressEvent } from "../core/events.ts";
import { isAway } from "./absence.ts";
import type { StatusReply__Output } from "./gen/limbeck/v1/StatusReply.ts";
import { leaderCalls } from "./leadercalls.ts";
import { givenAddresses, type Whereabouts } from "./whereabouts.ts";
import { coordinatorClient } from "./wire.ts";

export interface CoordinatorClient {
  /** The job's events, then live; ends with the job. Throws `unavailable` when the coordinator goes away, unless patient. */
  watch(options?: WatchOptions): AsyncGenerator<ProgressEvent>;
  /** The same, each with its number from 1: the `from` of who goes on after it. */
  watchNumbered(options?: WatchOptions): AsyncGenerator<readonly [ProgressEvent, number]>;
  /**
   * How the job is now: a JobStatus of the coordinator, JSON. Throws `unavailable` or `timeout` where none answers.
   * @param onWait called where there has been no answer for a while
   */
  status(onWait?: () => void): Promise<string>;
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

const reconnecting = { firstMs: 100, longestMs: 1_000 };

/**
 * @param at host:port, or wherever the coordinator is that decides
 * @param job id of a service's job; empty for the only one there is
 * @param onWait called where a question has had no answer for a while
 */
export function connectCoordinator(at: string | Whereabouts, job = "", onWait?: () => void): CoordinatorClient {
  const where = typeof at === "string" ? givenAddresses([at]) : at;
  const calls = leaderCalls(where, coordinatorClient, onWait);
  return {
    async *watch(options) {
      for await (const [event] of this.watchNumbered(options)) yield event;
    },
    async *watchNumbered({ from = 0, patientUntil, decisions = false, soFar = false, onAway } = {}) {
      let had = from;
      for (let attempt = 0; ; attempt++) {
        let cancel = () => {};
        let unheard = () => {};
        let isMoved = false;
        try {
          const call = (await calls.reached(patientUntil)).watch({ from: had, decisions, soFar, job });
          call.on("error", () => {}); // Reported by the loop below, and of no interest once the caller has left it.
          cancel = () => call.cancel();
          patientUntil?.addEventListener("abort", cancel);
          const moved = () => {
            isMoved = true;
            cancel();
          };
          if (patientUntil) unheard = where.onMoved(moved);
          for await (const { event, after } of call) {
            had = after;
            attempt = 0;
            yield [JSON.parse(event), after];
          }
          return;
        } catch (thrown) {
          const error = calls.failed(thrown);
          patientUntil?.throwIfAborted();
          if (!patientUntil || !(isAway(error) || error.code === "unavailable")) throw error;
          if (!isMoved) onAway?.(error);
        } finally {
          unheard();
          patientUntil?.removeEventListener("abort", cancel);
          cancel();
        }
        if (isMoved) continue;
        const wait = { signal: patientUntil };
        await setTimeout(backoffMs(reconnecting, attempt, Math.random()), undefined, wait).catch(() => {});
        patientUntil.throwIfAborted();
      }
    },
    async status(onWait) {
      return (await calls.ask<StatusReply__Output>((client, ...rest) => client.status({ job }, ...rest), onWait))
        .status;
    },
    async stop(why) {
      await calls.ask((client, ...rest) => client.stop({ why, job }, ...rest));
    },
    close: () => calls.close(),
  };
}
