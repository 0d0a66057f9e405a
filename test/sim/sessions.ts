/** A coordinator's sessions with workers, numbered, as coordinator/rpc.ts. */
import type { WorkerMessage } from "../../coordinator/messages.ts";
import type { Happening } from "../../coordinator/state.ts";
import type { LimbeckError } from "../../core/errors.ts";
import type { End, Receiver } from "./network.ts";

/** What gRPC's keepalive asks, and answers below all that a process decides. */
export const [ping, pong] = ["ping", "pong"] as const;

export class Sessions {
  readonly #ends = new Map<number, End>();
  #opened = 0;

  accept(end: End, happen: (happening: Happening) => void): Receiver {
    const session = ++this.#opened;
    this.#ends.set(session, end);
    return {
      data(message) {
        if (message === ping) end.send(pong);
        else happen({ kind: "message", session, message: message as WorkerMessage });
      },
      broken: ({ message }) => {
        this.#ends.delete(session);
        happen({ kind: "broken", session, why: message });
      },
    };
  }

  readonly send = (session: number, message: unknown): void => {
    this.#ends.get(session)?.send(message);
  };

  readonly refuse = (session: number, error: LimbeckError): void => {
    const end = this.#ends.get(session);
    this.#ends.delete(session);
    end?.close(error);
  };

  dismiss(error: LimbeckError): void {
    for (const session of [...this.#ends.keys()]) this.refuse(session, error);
  }
}
