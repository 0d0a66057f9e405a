/** What everything in a simulated cluster shares. */

import { holds, leaseStep } from "../../coordinator/lease.ts";
import { step } from "../../coordinator/step.ts";
import type { ProgressEvent } from "../../core/events.ts";
import { participate } from "../../core/participant.ts";
import { additions } from "../../core/tree.ts";
import type { Act } from "../history.ts";
import type { Clock } from "./clock.ts";
import type { Disk } from "./disk.ts";
import type { Invariants } from "./invariants.ts";
import type { Entry, JetStream, LeaseKey } from "./jetstream.ts";
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
  readonly leaseStep: typeof leaseStep;
  readonly holds: typeof holds;
  /** Whether the server takes a write of the lease. */
  isExpected(lease: LeaseKey, expected: number, how: { readonly isRenewal: boolean }): boolean;
  /** Opening a journal keeps older leaders from appending. */
  readonly isFenced: boolean;
  /** What has become of an append, among what came after the last that is known. */
  written(entries: readonly Entry[], id: string): Entry | undefined;
  /** Whether a worker heeds a leader, after the highest it has heard. */
  isHeeded(highest: number, fence: number): boolean;
}

export const realCode: Code = {
  step,
  participate,
  additions,
  consume,
  isOfTerm,
  takeSum,
  leaseStep,
  holds,
  isExpected: ({ revision }, expected) => revision === expected,
  isFenced: true,
  written: (entries, id) => entries.find((entry) => entry.id === id),
  isHeeded: (highest, fence) => fence >= highest,
};

export interface World {
  readonly clock: Clock;
  readonly network: Network;
  readonly jetStream: JetStream;
  /** What coordinators and workers did, beside the journal. */
  readonly history: Act[];
  /** Progress events, on a disk that outlives coordinators. */
  readonly announced: ProgressEvent[];
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
