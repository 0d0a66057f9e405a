/** A coordinator that stands by answers with it, and says who decides. */
import { LimbeckError } from "../core/errors.ts";

export class NotLeader extends LimbeckError {
  /** host:port; empty where nobody leads now. */
  readonly leader: string;

  constructor(leader: string, message: string, options?: { cause?: unknown }) {
    super("not_leader", message, options);
    this.leader = leader;
  }
}
