/** What a worker tells the coordinator, as worker/outbox.ts: what may have been lost with a session is told again. */
import type { WorkerMessage } from "../../coordinator/messages.ts";
import type { Session } from "./session.ts";

export type Body = WorkerMessage extends infer M ? (M extends { term: number } ? Omit<M, "term"> : never) : never;

/** The coordinator may have lost these with the session, or with its own life. */
const toldAgain: readonly string[] = ["evaluated", "stageDone", "exported", "checkpointed", "skipped", "suspect"];

export class Outbox {
  readonly #session: Session;
  /** Of one term. */
  #kept: { readonly term: number; readonly body: Body }[] = [];

  constructor(session: Session) {
    this.#session = session;
  }

  tell(term: number, body: Body): void {
    const isLasting = toldAgain.includes(body.kind) && (body.kind !== "evaluated" || body.last);
    if (isLasting) {
      this.#kept = this.#kept.filter((each) => each.term === term);
      this.#kept.push({ term, body });
    }
    this.#session.send({ term, ...body } as WorkerMessage);
  }

  /** What was told in this term. */
  repeat(term: number): void {
    for (const { term: told, body } of this.#kept) {
      if (told === term) this.#session.send({ term, ...body } as WorkerMessage);
    }
  }
}
