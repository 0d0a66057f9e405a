/** A job whose records are being opened, which a slow store may take minutes for: what happens to it meanwhile waits. */
import type { JobRun } from "../jobrun.ts";
import type { Happening } from "../state.ts";

/** L7. */
export const openingText = "its records are being opened";

export class Opening implements Pick<JobRun, "happen" | "term"> {
  readonly #happened: Happening[] = [];

  happen(happening: Happening): void {
    // Those that follow say the same.
    if (happening.kind === "message" && happening.message.kind === "heartbeat") return;
    this.#happened.push(happening);
  }

  term(): number {
    return 0;
  }

  /** In order, as if it happened now. */
  deliver(run: JobRun): void {
    for (const happening of this.#happened) run.happen(happening);
  }
}
