/** Ctrl-C and SIGTERM while a job runs: the first asks for an orderly stop, the second kills. */
import { LimbeckError } from "../core/errors.ts";
import type { CoordinatorClient } from "../proto/clients.ts";
import type { Child } from "./children.ts";

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

/** @param children may grow; `note` tells the user what the signal did */
export function onInterruption(children: readonly Child[], note: (line: string) => void): Interruption {
  const asked = new AbortController();
  const killed = new AbortController();
  let why = "";
  const onSignal = (signal: NodeJS.Signals) => {
    if (!asked.signal.aborted) {
      note(`stopping (${signal}); once more kills`);
      why = signal;
      asked.abort(new LimbeckError("stopped", `stopped by ${signal} before the job began`));
      return;
    }
    for (const child of children) child.process.kill("SIGKILL");
    killed.abort(new LimbeckError("stopped", `killed by a second ${signal}`));
  };
  process.on("SIGINT", onSignal);
  process.on("SIGTERM", onSignal);
  return {
    asked: asked.signal,
    killed: killed.signal,
    stops(client) {
      // A coordinator that does not answer is found by who watches it.
      const stop = () => void client.stop(why).catch(() => {});
      if (asked.signal.aborted) stop();
      else asked.signal.addEventListener("abort", stop);
    },
    end() {
      process.off("SIGINT", onSignal);
      process.off("SIGTERM", onSignal);
    },
  };
}
