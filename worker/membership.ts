/** An Assign, understood: the term, the stage, who computes what, and this worker's place in it. */
import { LimbeckError } from "../core/errors.ts";
import type { Job } from "../core/job.ts";
import { planStages, type StagePlan } from "../core/stages.ts";
import { maximalSubtrees, type TreeNode } from "../core/tree.ts";
import type { Assign__Output } from "../proto/gen/limbeck/v1/Assign.ts";
import type { Member__Output } from "../proto/gen/limbeck/v1/Member.ts";
import type { Part } from "./batches.ts";

export interface Membership {
  readonly term: number;
  readonly plan: StagePlan;
  readonly students: readonly Member__Output[];
  readonly teachers: readonly Member__Output[];
  /** Weights the teachers must serve; empty where they load the model themselves. */
  readonly teacherSha256: string;
}

/** The reduction tree of a term and what each student holds of it. */
export interface Reduction {
  readonly leaves: number;
  /** By rank. */
  readonly held: readonly (readonly TreeNode[])[];
}

export function understand(term: number, assign: Assign__Output, job: Job, trainExamples: number): Membership {
  const plan = planStages(job, trainExamples).find(({ stage }) => stage === assign.stage);
  if (!plan || plan.steps !== assign.steps) {
    throw new LimbeckError(
      "internal",
      `the coordinator assigned stage ${assign.stage} of ${assign.steps} steps, which this job does not have here`,
    );
  }
  const { students, teachers, teacherSha256 } = assign;
  return { term, plan, students, teachers, teacherSha256 };
}

/** Exact: lanes are the leaves, so the sum does not depend on the deal (L1). Fast: one leaf per student. */
export function reductionOf({ students }: Membership, job: Job): Reduction {
  if (job.numerics === "fast") {
    return { leaves: students.length, held: students.map((_, rank) => [{ level: 0, index: rank }]) };
  }
  const leaves = job.lanes.count;
  return { leaves, held: students.map(({ firstLane, lanes }) => maximalSubtrees(firstLane, lanes, leaves)) };
}

/** What is computed together: each lane by itself, for bits depend on the batch's shape (L1); in fast all lanes at once. */
export function partsOf({ firstLane, lanes }: Member__Output, job: Job): readonly Part[] {
  if (job.numerics === "fast") return [{ firstLane, lanes }];
  return Array.from({ length: lanes }, (_, index) => ({ firstLane: firstLane + index, lanes: 1 }));
}

export function rankOf(members: readonly Member__Output[], worker: string): number {
  const rank = members.findIndex((member) => member.worker === worker);
  if (rank < 0) throw new LimbeckError("internal", `${worker} is not a member of the term it was assigned to`);
  return rank;
}
