/** What everything in a simulated cluster shares. */

import { step } from "../../coordinator/step.ts";
import { participate } from "../../core/participant.ts";
import { additions } from "../../core/tree.ts";
import type { Clock } from "./clock.ts";
import type { Disk } from "./disk.ts";
import type { Invariants } from "./invariants.ts";
import type { Network } from "./network.ts";
import type { Oracle } from "./oracle.ts";
import { type IsOfTerm, isOfTerm } from "./publications.ts";
import { type Consume, consume, type TakeSum, takeSum } from "./replica.ts";
import type { Scene } from "./scene.ts";
import type { Story } from "./story.ts";

/** The decisions of both sides, as the real code makes them. A mutation wraps one of them. */
export interface Code {
  readonly step: typeof step;
  readonly participate: typeof participate;
  readonly additions: typeof additions;
  readonly consume: Consume;
  readonly isOfTerm: IsOfTerm;
  readonly takeSum: TakeSum;
}

export const realCode: Code = { step, participate, additions, consume, isOfTerm, takeSum };

export interface World {
  readonly clock: Clock;
  readonly network: Network;
  readonly disk: Disk;
  readonly oracle: Oracle;
  readonly scene: Scene;
  readonly story: Story;
  readonly invariants: Invariants;
  readonly code: Code;
  /** Draws of what happens; never of what is computed. */
  readonly random: () => number;
}

export function between(random: () => number, low: number, high: number): number {
  return low + random() * (high - low);
}

export function whole(random: () => number, low: number, high: number): number {
  return Math.floor(between(random, low, high + 1));
}
