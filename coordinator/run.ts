/** The shell's loop: events in, `step` decides, effects out. */
import { asLimbeckError, type LimbeckError } from "../core/errors.ts";
import type { Effect, Event, Next, Outcome, Plan, State } from "./state.ts";
import { step } from "./step.ts";

export interface Shell {
  /** What happens, in order. */
  readonly events: AsyncIterable<Event>;
  readonly now: () => number;
  /** Resolves when this process may decide; rejects `stale_term` once another process does. */
  mayDecide(): Promise<void>;
  /** May throw: the job then fails with what was thrown, unless that is the store's. @param state the one that the effect comes with */
  perform(effect: Effect, state: State): Promise<void>;
  /** Called with every new state, after its effects: what is shown is durable. */
  show(state: State): void;
}

/**
 * Runs a job from where it begins, or is taken up again, to its end.
 * @throws LimbeckError the store's: nothing more is done here (L3), and the job is not over
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

/**
 * Whether no decision can be kept any more, for another process decides (`stale_term`), or the store takes nothing
 * (`unavailable`). That is no trouble of the job's: it goes on from its journal, elsewhere or later.
 */
export function isOfStore({ code }: LimbeckError): boolean {
  return code === "stale_term" || code === "unavailable";
}

function decide(plan: Plan, state: State, event: Event): Next {
  try {
    return step(plan, state, event);
  } catch (thrown) {
    return step(plan, state, { kind: "trouble", atMs: event.atMs, error: asLimbeckError(thrown) });
  }
}

async function act(plan: Plan, [state, ...effects]: Next, shell: Shell): Promise<State> {
  try {
    for (const effect of effects) await shell.perform(effect, state);
    shell.show(state);
    return state;
  } catch (thrown) {
    const error = asLimbeckError(thrown);
    if (isOfStore(error)) throw error;
    // What failed is performed no second time: an outcome that was reached stays as it is.
    if (state.kind === "ended") {
      shell.show(state);
      return state;
    }
    return act(plan, step(plan, state, { kind: "trouble", atMs: shell.now(), error }), shell);
  }
}
