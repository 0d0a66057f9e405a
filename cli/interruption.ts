/** Ctrl-C and SIGTERM while a job runs: the first asks for an orderly stop, the second kills. */
import { setTimeout } from "node:timers/promises";
import { LimbeckError } from "../core/errors.ts";
import type { CoordinatorClient } from "../proto/clients.ts";
import type { Supervised } from "./supervisor.ts";

export interface Interruption {
  /** Aborts with the first signal. */
  readonly asked: AbortSignal;
  /** Aborts with the second signal, when all children have been sent SIGKILL. */
  readonly killed: AbortSignal;
  /** From now on a signal, and one that came before, is an order to this coordinator. */
  stops(client: CoordinatorClient): void;
  /** Signals do again what they did before. */
  end(): void;
}

const againMs = 500;

/** @param processes may grow; `note` tells the user what the signal did */
export function onInterruption(processes: readonly Supervised[], note: (line: string) => void): Interruption {
  const asked = new AbortController();
  const killed = new AbortController();
  let why = "";
  let isOver = false;
  const onSignal = (signal: NodeJS.Signals) => {
    if (!asked.signal.aborted) {
      note(`stopping (${signal}); once more kills`);
      why = signal;
      for (const each of processes) each.retire();
      asked.abort(new LimbeckError("stopped", `stopped by ${signal} before the job began`));
      return;
    }
    for (const { child } of processes) child.process.kill("SIGKILL");
    killed.abort(new LimbeckError("stopped", `killed by a second ${signal}`));
  };
  /** Again and again: the coordinator may be just starting. One that has gone is found by who watches it. */
  const stop = async (client: CoordinatorClient) => {
    while (!isOver) {
      const isHeard = await client.stop(why).then(
        () => true,
        () => false,
      );
      if (isHeard) return;
      await setTimeout(againMs, undefined, { ref: false });
    }
  };
  process.on("SIGINT", onSignal);
  process.on("SIGTERM", onSignal);
  return {
    asked: asked.signal,
    killed: killed.signal,
    stops(client) {
      if (asked.signal.aborted) void stop(client);
      else asked.signal.addEventListener("abort", () => void stop(client));
    },
    end() {
      isOver = true;
      process.off("SIGINT", onSignal);
      process.off("SIGTERM", onSignal);
    },
  };
}
