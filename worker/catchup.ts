/** How a replica that is behind gets to the step at which its term begins: by a sum, or by the whole state (L1). */

import { LimbeckError } from "../core/errors.ts";
import type { Beginning, CatchUp } from "../core/participant.ts";
import { bytesOf } from "./bytes.ts";
import type { WorkerContext } from "./context.ts";
import type { PeerAddress } from "./exchange/peerclient.ts";
import { PeerFailure } from "./exchange/peerfailure.ts";
import { idsOf } from "./ids.ts";
import { type Replica, takeState, weightsDigest } from "./replica.ts";
import { pullState, stateFacts, statePayload, transferMs } from "./transfer.ts";
import { update } from "./update.ts";

export interface CatchingUp {
  readonly context: WorkerContext;
  readonly replica: Replica;
  readonly members: readonly PeerAddress[];
  readonly signal: AbortSignal;
}

/** Throws what the last source failed of where none could give it. */
export async function catchUp(how: CatchUp, beginning: Beginning, catching: CatchingUp): Promise<void> {
  try {
    await fromEach(how.from, how.kind, beginning, catching);
  } catch (thrown) {
    // The sum may be gone with who held it; the state may be elsewhere, too.
    if (how.kind === "state" || !(thrown instanceof PeerFailure)) throw thrown;
    await fromEach(beginning.sources, "state", beginning, catching);
  }
}

async function fromEach(
  sources: readonly string[],
  kind: "sum" | "state",
  { term, step }: Beginning,
  catching: CatchingUp,
): Promise<void> {
  let failure: unknown = new LimbeckError("lost_worker", `no member of term ${term} has the replica of step ${step}`);
  for (const name of sources) {
    const source = catching.members.find(({ worker }) => worker === name);
    if (!source) continue;
    catching.context.status.waitingFor = () => `the ${kind} of step ${kind === "sum" ? step - 1 : step} from ${name}`;
    try {
      if (kind === "sum") await applySum(source, { term, step: step - 1 }, catching);
      else await takeWhole(source, { term, step }, catching);
      return;
    } catch (thrown) {
      if (!(thrown instanceof PeerFailure)) throw thrown;
      failure = thrown;
    }
  }
  throw failure;
}

async function applySum(
  source: PeerAddress,
  wanted: { term: number; step: number },
  { context: { services, device }, replica, signal }: CatchingUp,
): Promise<void> {
  replica.sumStep = null;
  const what = { ...wanted, kind: "sum", slice: 0, deadlineMs: transferMs };
  const header = await services.peers.client.pull(source, what, replica.sum, signal);
  await update(replica, device, idsOf(header.examples));
}

async function takeWhole(
  source: PeerAddress,
  wanted: { term: number; step: number },
  { context: { services, device }, replica, signal }: CatchingUp,
): Promise<void> {
  const what = { ...wanted, kind: "state" as const };
  const state = await pullState(services.peers.client, source, what, { like: replica, signal });
  await takeState(replica, state);
  await device.ask("load", { name: "trained", weights: replica.weights });
}

/**
 * Publishes the replica for members that are behind, as it lies in memory: it does not change before they have caught
 * up, for no all-reduce completes without them.
 * @returns takes it back, before the memory changes
 */
export async function offerReplica(
  { services }: WorkerContext,
  replica: Replica,
  { term, step }: Beginning,
  sha256: string | null,
): Promise<() => void> {
  const { server } = services.peers;
  const state = { term, kind: "state", step, slice: 0 } as const;
  const facts = stateFacts(replica);
  const digest = sha256 ?? (await weightsDigest(replica));
  server.publish({ ...state, payload: statePayload(replica), sha256: digest, replica: () => facts });
  const sum = { term, kind: "sum", step: step - 1, slice: 0 } as const;
  if (replica.sumStep === sum.step) {
    server.publish({ ...sum, payload: [bytesOf(replica.sum)], examples: replica.sumExamples });
  }
  return () => {
    server.withdraw(state);
    server.withdraw(sum);
  };
}
