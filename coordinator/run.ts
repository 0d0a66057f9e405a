/** The shell's loop: events in, `step` decides, effects out. */
import { asLimbeckError } from "../core/errors.ts";
import type { JournalRecord } from "./journalrecord.ts";
import type { Effect, Event, Next, Outcome, Plan, State } from "./state.ts";
import { step } from "./step.ts";

export interface Shell {
  /** What happens, in order. */
  readonly events: AsyncIterable<Event>;
  readonly now: () => number;
  /** Resolves when this process may decide; rejects `stale_term` once another process does. */
  mayDecide(): Promise<void>;
  /**
   * Durable when it resolves. Where it throws, nothing more is decided here. That is no trouble of the job's: it is not
   * over, and goes on from its journal, elsewhere or later.
   */
  keep(record: JournalRecord): Promise<void>;
  /** May throw: the job then fails with what was thrown. @param state the one that the effect comes with */
  perform(effect: Performed, state: State): Promise<void>;
  /** Called with every new state, after its effects: what is shown is durable. */
  show(state: State): void;
}

export type Performed = Exclude<Effect, { kind: "journal" }>;

/**
 * Runs a job from where it begins, or is taken up again, to its end.
 * @throws LimbeckError `stale_term` where another process decides now: nothing more is done here (L3); what `keep` throws
 */
export async function run(plan: Plan, first: Next, shell: Shell): Promise<Outcome> {
  let state = await act(plan, first, shell);
  if (state.kind === "ended") return state.outcome;
  for await (const event of shell.events) {
    await shell.mayDecide();
    state = await act(plan, decide(plan, state, event), shell);
    if (state.kind === "ended") return state.outcome;
  }
  throw new Error("the events ended before the job");
}

function decide(plan: Plan, state: State, event: Event): Next {
  try {
    return step(plan, state, event);
  } catch (thrown) {
    return step(plan, state, { kind: "trouble", atMs: event.atMs, error: asLimbeckError(thrown) });
  }
}

async function act(plan: Plan, [state, ...effects]: Next, shell: Shell): Promise<State> {
  for (const effect of effects) {
    if (effect.kind === "journal") {
      await shell.keep(effect.record);
      continue;
    }
    try {
      await shell.perform(effect, state);
    } catch (thrown) {
      // What failed is performed no second time: an outcome that was reached stays as it is.
      if (state.kind === "ended") break;
      const error = asLimbeckError(thrown);
      // No decision, and no trouble, is ours any more.
      if (error.code === "stale_term") throw error;
      return act(plan, step(plan, state, { kind: "trouble", atMs: shell.now(), error }), shell);
    }
  }
  shell.show(state);
  return state;
}
