/** What a worker says to the coordinator, whether there is a session or not: what must not be lost is said again. */
import type { FromWorker } from "../proto/gen/limbeck/v1/FromWorker.ts";
import type { Session } from "./session.ts";

/** Of each kind; more than a term gives in any run that goes well. */
const keptPerKind = 64;

export class Outbox {
  /** Null while there is none, or it does not know the worker yet. */
  #session: Session | null = null;
  /** In the order in which they were said; progress only as long as nobody has heard it. */
  #kept: FromWorker[] = [];

  get isOpen(): boolean {
    return this.#session !== null;
  }

  send(message: FromWorker): void {
    const kind = kindOf(message);
    if (kind) {
      // L3. Of older terms nothing is of interest any more.
      const { term = 0 } = message;
      this.#kept = this.#kept.filter((kept) => Number(kept.term) >= Number(term));
      const same = this.#kept.filter((kept) => kindOf(kept) === kind);
      if (same.length >= keptPerKind) this.#kept.splice(this.#kept.indexOf(same[0]!), 1);
      this.#kept.push(message);
    }
    if (this.#session) this.#session.send(message);
    else if (message.progress) this.#kept.push(message);
  }

  /** From now on this session hears all. */
  open(session: Session): void {
    this.#session = session;
  }

  close(): void {
    this.#session = null;
  }

  /** Says again what the coordinator may have missed; it takes each once. */
  repeat(): void {
    for (const message of this.#kept) this.#session?.send(message);
    this.#kept = this.#kept.filter(({ progress }) => !progress);
  }

  forget(): void {
    this.#kept = [];
  }
}

/** The kind of a message that must not be lost; null for others. */
function kindOf({ evaluated, stageDone, exported, checkpointed, skipped, suspect, caughtUp, diagnosed }: FromWorker) {
  if (evaluated) return evaluated.last ? "evaluated" : null;
  if (stageDone) return "stageDone";
  if (exported) return "exported";
  if (checkpointed) return "checkpointed";
  if (skipped) return "skipped";
  if (suspect) return "suspect";
  if (diagnosed) return "diagnosed";
  return caughtUp ? "caughtUp" : null;
}
