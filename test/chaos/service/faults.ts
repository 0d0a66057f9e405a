/** What is done to a service and when, from a seed. */
import { randomStream } from "../../../core/random.ts";

export const serviceFaultKinds = [
  "kill-leader",
  "stop-leader",
  "kill-standby",
  "kill-worker",
  "kill-leader-and-worker",
  "kill-nats",
  "stop-nats",
  "pause-and-kill-leader",
] as const;
/** By name only, not drawn: one of the NATS servers, which stops the service where there is but one. */
export type ServiceFaultKind = (typeof serviceFaultKinds)[number] | "kill-one-nats";

export interface ServiceFault {
  readonly kind: ServiceFaultKind;
  /** Since the job's first step. */
  readonly atMs: number;
  /** In [0, 1): which of those that there are. */
  readonly target: number;
  /** Until what was killed is started again, and what was stopped goes on. */
  readonly lastsMs: number;
}

/** Shorter and longer than a lease lasts. */
const table: Readonly<Record<(typeof serviceFaultKinds)[number], readonly [number, number]>> = {
  "kill-leader": [300, 4_000],
  "stop-leader": [500, 7_000],
  "kill-standby": [300, 2_000],
  "kill-worker": [300, 1_500],
  "kill-leader-and-worker": [300, 2_000],
  "kill-nats": [0, 5_000],
  "stop-nats": [300, 5_000],
  "pause-and-kill-leader": [300, 4_000],
};

/** One to three, at any moment of the span. */
export function drawServiceFaults(seed: number, spanMs: number): ServiceFault[] {
  const random = randomStream(seed, 0x5e41ce);
  const count = 1 + Math.floor(random() * 3);
  const faults = Array.from({ length: count }, () => {
    const kind = serviceFaultKinds[Math.floor(random() * serviceFaultKinds.length)]!;
    const [least, most] = table[kind];
    return { kind, atMs: random() * spanMs, target: random(), lastsMs: least + random() * (most - least) };
  });
  return faults.sort((one, other) => one.atMs - other.atMs);
}
