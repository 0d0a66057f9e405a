/** When and where this run's checkpoints are kept, and what they must be to go on from; what one is, artifacts/checkpoint.ts knows. */
import { basename, join, relative } from "node:path";
import { Consumption } from "../core/consumption.ts";
import type { Layout } from "../core/layout.ts";
import { checkpointsFolder } from "../core/manifest.ts";
import type { Stage } from "../core/stages.ts";
import { jobSha256 } from "../proto/jobsha256.ts";
import {
  type Checkpoint,
  latestCheckpoint,
  pruneCheckpoints,
  saveCheckpoint,
  type WantedCheckpoint,
} from "./artifacts/checkpoint.ts";
import type { WorkerContext } from "./context.ts";
import type { DatasetFacts } from "./data/dataset.ts";
import { optimizerSlots } from "./optimizers/slots.ts";
import type { Replica, ReplicaState } from "./replica.ts";

/**
 * Writes the state whole (L4), and forgets checkpoints beyond `checkpoint.keep`.
 * @param state a copy of the replica's, which nobody changes
 */
export async function saveReplica(
  context: WorkerContext,
  { plan, layout }: Replica,
  { state, term, sha256 }: { state: ReplicaState; term: number; sha256: string },
) {
  const { job, runFolder, dataset, depot } = context;
  const root = checkpointRoot(context);
  const { examplesPerEpoch: _, ...consumed } = state.consumption.totals;
  const saved = await saveCheckpoint(root, {
    stage: plan.stage,
    step: state.step,
    term,
    jobSha256: jobSha256(job),
    datasetDigest: dataset.digest,
    weightsSha256: sha256,
    layout,
    weights: state.weights,
    optimizer: { slots: optimizerSlots(plan.training?.optimizer ?? null), state: state.optimizerState },
    ledger: { seen: state.consumption.seen, consumed },
    skips: state.skips,
  });
  const spared = depot && new Set([...depot.spared, basename(saved.folder)]);
  await pruneCheckpoints(root, plan.stage, { keep: job.checkpoint.keep, ...(spared && { spared }) });
  return { stage: plan.stage, step: state.step, folder: relative(runFolder, saved.folder), bytes: saved.bytes };
}

export function checkpointRoot({ runFolder }: Pick<WorkerContext, "runFolder">): string {
  return join(runFolder, checkpointsFolder);
}

export interface Restored {
  readonly state: ReplicaState | null;
  /** Relative to the run folder; empty where there is none. */
  readonly restoredFrom: string;
  /** Those that were newer and did not do: "folder: why". */
  readonly skipped: readonly string[];
}

export interface Sought {
  /** Only of a step below this one, where it is not 0. */
  readonly below?: number;
  /** Whose state it is to become: what it holds must have the sizes of this. */
  readonly replica?: Sizes;
}

interface Sizes {
  readonly layout: Layout;
  readonly ledger: Pick<Replica["ledger"], "trainExamples">;
}

/** The newest checkpoint of the stage that is whole and of this job. */
export async function findCheckpoint(
  context: Pick<WorkerContext, "job" | "runFolder" | "depot"> & { readonly dataset: Pick<DatasetFacts, "digest"> },
  stage: Stage,
  { below = 0, replica }: Sought = {},
): Promise<{ readonly found: Checkpoint | null } & Pick<Restored, "restoredFrom" | "skipped">> {
  const { job, dataset, runFolder, depot } = context;
  const wanted: WantedCheckpoint = {
    below: below === 0 ? Number.POSITIVE_INFINITY : below,
    refuses: (found) => {
      if (found.jobSha256 !== jobSha256(job)) return "it is of another job";
      if (found.datasetDigest !== dataset.digest) return "it is of another dataset";
      return !replica || fits(found, replica) ? null : "what it holds is not of the sizes that it says it is of";
    },
  };
  const root = checkpointRoot(context);
  const { latest, skipped } = await (depot?.newest(root, stage, wanted) ?? latestCheckpoint(root, stage, wanted));
  return {
    found: latest?.checkpoint ?? null,
    restoredFrom: latest ? relative(runFolder, latest.folder) : "",
    skipped: skipped.map(({ folder, why }) => `${basename(folder)}: ${why}`),
  };
}

/** Digests say what it was made for; that its vectors have the sizes of it, whoever wrote it must be believed. */
function fits({ layout, ledger }: Checkpoint, replica: Sizes): boolean {
  const shapes = (of: Layout) => JSON.stringify(of.parameters.map(({ name, shape }) => [name, shape]));
  return ledger.seen.length === replica.ledger.trainExamples && shapes(layout) === shapes(replica.layout);
}

/** What a replica of this size goes on from. */
export function stateOf(checkpoint: Checkpoint, examplesPerEpoch: number): ReplicaState {
  const { weights, optimizer, ledger, skips, step } = checkpoint;
  const totals = { examplesPerEpoch, ...ledger.consumed };
  const consumption = new Consumption(examplesPerEpoch, { seen: ledger.seen, totals });
  return { weights, optimizerState: optimizer.state, consumption, skips, step };
}
