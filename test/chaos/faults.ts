/** What is done to the processes and when, from a seed. */
import { randomStream } from "../../core/random.ts";

export const faultKinds = [
  "kill-student",
  "kill-teacher",
  "kill-coordinator",
  "freeze",
  "partition",
  "terminate",
  "add",
  "remove",
] as const;
export type FaultKind = (typeof faultKinds)[number];

export interface Fault {
  /** Since the first step. */
  readonly atMs: number;
  readonly kind: FaultKind;
  /** In [0, 1): which of those that there are then. */
  readonly target: number;
  /** Until what was killed is started again, what was frozen goes on, what was cut off is healed. */
  readonly lastsMs: number;
}

/** How often each comes, and how long it lasts. */
const table: Readonly<Record<FaultKind, { readonly weight: number; readonly lastsMs: readonly [number, number] }>> = {
  "kill-student": { weight: 4, lastsMs: [300, 2_000] },
  "kill-teacher": { weight: 2, lastsMs: [300, 2_000] },
  "kill-coordinator": { weight: 2, lastsMs: [300, 2_000] },
  freeze: { weight: 3, lastsMs: [300, 5_000] },
  partition: { weight: 3, lastsMs: [500, 4_000] },
  terminate: { weight: 2, lastsMs: [300, 2_000] },
  add: { weight: 1, lastsMs: [0, 0] },
  remove: { weight: 1, lastsMs: [0, 0] },
};

/** One fault about every `everyMs`, none in the first and the last of these spans. */
export function drawFaults(
  seed: number,
  { durationMs, everyMs, kinds = faultKinds }: { durationMs: number; everyMs: number; kinds?: readonly FaultKind[] },
): Fault[] {
  const random = randomStream(seed, 0xc4a05);
  const between = ([least, most]: readonly [number, number]) => least + random() * (most - least);
  const count = Math.max(1, Math.round(durationMs / everyMs) - 1);
  return Array.from({ length: count }, (_, index) => {
    const kind = drawKind(random(), kinds);
    const atMs = (index + 0.75 + random() / 2) * everyMs;
    return { atMs, kind, target: random(), lastsMs: between(table[kind].lastsMs) };
  });
}

function drawKind(chance: number, kinds: readonly FaultKind[]): FaultKind {
  const bag = kinds.flatMap((kind) => Array<FaultKind>(table[kind].weight).fill(kind));
  return bag[Math.floor(chance * bag.length)]!;
}
