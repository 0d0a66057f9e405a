/** That another worker did not give what it was asked for, and which one: it may be dead, or out of reach. */
import { LimbeckError } from "../../core/errors.ts";

export class PeerFailure extends LimbeckError {
  /** Its name. */
  readonly peer: string;

  constructor(peer: string, cause: LimbeckError) {
    super(cause.code, cause.message, { cause });
    this.peer = peer;
  }
}
