/** The run's folder of checkpoints, which all workers and their successors see. A checkpoint is whole or absent (L4). */
import type { ReplicaState } from "./replica.ts";

interface Kept {
  readonly state: ReplicaState;
  /** Its bytes have changed since. */
  isDamaged: boolean;
}

export class Disk {
  readonly #kept: Kept[] = [];

  save(state: ReplicaState, keep: number): void {
    this.#forget((each) => each.state.stage === state.stage && each.state.step === state.step);
    this.#kept.push({ state, isDamaged: false });
    const steps = this.#kept.filter((each) => each.state.stage === state.stage).map((each) => each.state.step);
    const oldest = steps.sort((a, b) => b - a)[keep - 1] ?? 0;
    this.#forget((each) => each.state.stage === state.stage && each.state.step < oldest);
  }

  /** The newest whole one of the stage below a step (0: any), and those passed over. */
  newest(stage: number, below: number): { found: ReplicaState | null; skipped: string[] } {
    const skipped: string[] = [];
    const those = this.#kept.filter(({ state }) => state.stage === stage && (below === 0 || state.step < below));
    for (const { state, isDamaged } of those.sort((a, b) => b.state.step - a.state.step)) {
      if (!isDamaged) return { found: state, skipped };
      skipped.push(`${stage}-${state.step}: a file has another sha256`);
    }
    return { found: null, skipped };
  }

  /** All go back to before this step: what is there from it on may be of wrong replicas. */
  distrust(stage: number, from: number): void {
    this.#forget(({ state }) => state.stage === stage && state.step >= from);
  }

  /** False where there is none. */
  damageNewest(among: (state: ReplicaState) => boolean): boolean {
    const whole = this.#kept.filter(({ isDamaged, state }) => !isDamaged && among(state));
    const newest = whole.at(-1);
    if (newest) newest.isDamaged = true;
    return newest !== undefined;
  }

  #forget(isOut: (kept: Kept) => boolean): void {
    for (let at = this.#kept.length - 1; at >= 0; at--) if (isOut(this.#kept[at]!)) this.#kept.splice(at, 1);
  }
}
