/** A student that is to join keeps up with a member while the members train: a snapshot, then every step's sum. */

import type { WorkerContext } from "./context.ts";
import { aborted, type Ending } from "./ending.ts";
import type { PeerAddress } from "./exchange/peerclient.ts";
import { PeerFailure } from "./exchange/peerfailure.ts";
import { idsOf } from "./ids.ts";
import { type Replica, takeState } from "./replica.ts";
import { pullState } from "./transfer.ts";
import { update } from "./update.ts";

export interface Following {
  readonly context: WorkerContext;
  readonly replica: Replica;
  readonly term: number;
  readonly source: PeerAddress;
  /** Told once: the replica is at most a step behind, or will be made equal at the boundary. */
  caughtUp(step: number): void;
}

/** For the next step to end, however long it is: a source that is dead ends the term before. */
const deltaMs = 600_000;

/** Snapshots asked for in all: who falls behind that often is made equal by the state when it enters. */
const attempts = 3;

/**
 * Follows until it is told to end. Before a planned term it takes what the source still gives, which ends with the
 * source's own term: so it enters at most a step behind.
 */
export async function follow(following: Following, ending: Ending): Promise<void> {
  let isCaughtUp = false;
  const caughtUp = () => {
    if (!isCaughtUp) following.caughtUp(following.replica.step);
    isCaughtUp = true;
  };
  for (let attempt = 1; attempt <= attempts && !ending.soon.aborted; attempt++) {
    try {
      await takeSnapshot(following, ending.now);
      for (;;) if (await applyDelta(following, ending.now)) caughtUp();
    } catch (thrown) {
      if (!(thrown instanceof PeerFailure)) throw thrown;
    }
  }
  caughtUp();
  await aborted(ending.soon);
}

async function takeSnapshot({ context, replica, term, source }: Following, signal: AbortSignal): Promise<void> {
  const { status, services, device } = context;
  status.waitingFor = () => `the replica from ${source.worker}`;
  const wanted = { term, kind: "snapshot", step: 0 } as const;
  const state = await pullState(services.peers.client, source, wanted, { like: replica, signal });
  await takeState(replica, state);
  await device.ask("load", { name: "trained", weights: replica.weights });
}

/** True where the source had no later one when it sent this. */
async function applyDelta({ context, replica, term, source }: Following, signal: AbortSignal): Promise<boolean> {
  const { status, services, device } = context;
  const { step } = replica;
  status.step = step;
  status.waitingFor = () => `step ${step} of ${source.worker}`;
  replica.sumStep = null;
  const wanted = { term, kind: "delta", step, slice: 0, deadlineMs: deltaMs };
  const header = await services.peers.client.pull(source, wanted, replica.sum, signal);
  await update(replica, device, idsOf(header.examples));
  return replica.step >= Number(header.replica);
}
