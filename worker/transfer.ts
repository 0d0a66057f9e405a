/** Replicas on their way between workers: [weights | optimizer state | seen], and what of them is no vector as JSON. */
import { z } from "zod";
import { Consumption } from "../core/consumption.ts";
import { LimbeckError } from "../core/errors.ts";
import { weightsInOrder } from "./artifacts/digest.ts";
import { bytesOf } from "./bytes.ts";
import type { Payload } from "./exchange/payload.ts";
import type { PeerAddress, PeerClient } from "./exchange/peerclient.ts";
import { PeerFailure } from "./exchange/peerfailure.ts";
import type { Replica, ReplicaFacts, ReplicaState } from "./replica.ts";
import { sha256InTurns } from "./turns.ts";

/** For all of it: until it is published, and its transfer. */
export const transferMs = 60_000;

const count = z.int().min(0);
const factsSchema = z.object({
  totals: z.object({ examplesPerEpoch: count, epochs: count, seen: count, duplicated: count, missing: count }),
  skips: z.object({ total: count, inARow: count }),
});

/** The state as it lies in memory, without a copy. */
export function statePayload({ weights, optimizerState, consumption }: ReplicaState): Payload {
  return [bytesOf(weights), bytesOf(optimizerState), consumption.seen];
}

export function stateFacts({ consumption: { totals }, skips }: ReplicaState): string {
  const facts: ReplicaFacts = { totals, skips };
  return JSON.stringify(facts);
}

/**
 * Pulls a replica's state, into memory of its own: what breaks off tears no replica.
 * @throws as PeerClient.pull, and PeerFailure `corrupt` where the weights have another sha256 than was said
 */
export async function pullState(
  client: PeerClient,
  source: PeerAddress,
  wanted: { readonly term: number; readonly kind: "state" | "snapshot"; readonly step: number },
  { like, signal }: { like: Replica; signal: AbortSignal },
): Promise<ReplicaState> {
  const weights = new Float32Array(like.weights.length);
  const optimizerState = new Float32Array(like.optimizerState.length);
  const seen = new Uint8Array(like.ledger.trainExamples);
  const into = [bytesOf(weights), bytesOf(optimizerState), seen];
  const header = await client.pull(source, { ...wanted, slice: 0, deadlineMs: transferMs }, into, signal);
  const sha256 = await sha256InTurns(weightsInOrder(like.order, like.layout, weights));
  const facts = factsSchema.safeParse(parsed(header.replica));
  if (sha256 !== header.sha256 || !facts.success) {
    const what = facts.success ? `weights ${sha256}, said was ${header.sha256}` : "without its facts";
    const message = `${wanted.kind} of step ${header.step} from ${source.worker} came with ${what}`;
    throw new PeerFailure(source.worker, new LimbeckError("corrupt", message));
  }
  const { totals, skips } = facts.data;
  const consumption = new Consumption(seen.length, { seen, totals });
  return { weights, optimizerState, consumption, skips, step: header.step };
}

function parsed(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return null;
  }
}
