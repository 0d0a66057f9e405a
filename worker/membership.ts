/** An Assign, understood: the term, the stage, who computes what, and this worker's place in it. */
import { LimbeckError } from "../core/errors.ts";
import type { Job } from "../core/job.ts";
import type { Assigned } from "../core/participant.ts";
import { planStages, type StagePlan } from "../core/stages.ts";
import { maximalSubtrees, type TreeNode } from "../core/tree.ts";
import type { Assign__Output } from "../proto/gen/limbeck/v1/Assign.ts";
import type { DatasetInfo__Output } from "../proto/gen/limbeck/v1/DatasetInfo.ts";
import type { Member__Output } from "../proto/gen/limbeck/v1/Member.ts";
import type { Part } from "./batches.ts";
import { type Dataset, type DatasetFacts, factsOf } from "./data/dataset.ts";

export interface Membership extends Assigned {
  /** The coordinator's reason for the term. */
  readonly why: string;
  readonly plan: StagePlan;
  /** Those with lanes, in the order of their lanes. */
  readonly students: readonly Member__Output[];
  readonly teachers: readonly Member__Output[];
  /** This worker's place among the students; null where it has no lanes. */
  readonly rank: number | null;
  readonly isTeacher: boolean;
  /** Of a teacher: the part it serves, by its place in core/teacherparts.ts. */
  readonly part: number;
  /** The teacher that is served; empty in a stage without soft targets. */
  readonly teacherSha256: string;
  /** Who has these weights. */
  readonly teacherSources: readonly Member__Output[];
  /** Look for a checkpoint; one of a step below `restoreBelow`, where that is not 0. */
  readonly restore: boolean;
  readonly restoreBelow: number;
  readonly dataset: DatasetFacts;
}

/** The reduction tree of a term and what each student holds of it. */
export interface Reduction {
  readonly leaves: number;
  /** By rank. */
  readonly held: readonly (readonly TreeNode[])[];
}

export interface Reader {
  readonly name: string;
  readonly job: Job;
  /** As it is open here; null where it is not: the order tells of it then. */
  readonly dataset: Dataset | null;
}

export function understand(term: number, assign: Assign__Output, { name, job, dataset }: Reader): Membership {
  const facts = factsIn(assign, dataset);
  const plan = planOf(assign, job, facts.trainExamples);
  const students = assign.students.filter(({ lanes }) => lanes > 0);
  const at = students.findIndex(({ worker }) => worker === name);
  const rank = at < 0 ? null : at;
  const own = assign.teachers.find(({ worker }) => worker === name);
  const { planned, why, teachers, teacherSha256, teacherSources, restore, restoreBelow } = assign;
  const isTeacher = own !== undefined;
  const teaching = { teachers, isTeacher, part: own?.part ?? 0, teacherSha256, teacherSources };
  return {
    term,
    planned,
    why,
    member: rank !== null || isTeacher,
    plan,
    students,
    rank,
    ...teaching,
    restore,
    restoreBelow,
    dataset: facts,
  };
}

/** What is known here of the dataset that an order is about. */
export function factsIn(
  { dataset: told }: { dataset: DatasetInfo__Output | null },
  open: Dataset | null,
): DatasetFacts {
  if (open) return factsOf(open);
  if (told) return told;
  throw new LimbeckError("internal", "an order says nothing of the dataset, which is not open here");
}

/** The stage of an order; throws `internal` where the coordinator's job has another one. */
export function planOf(order: { stage: string; steps: number }, job: Job, trainExamples: number): StagePlan {
  const plan = planStages(job, trainExamples).find(({ stage }) => stage === order.stage);
  if (!plan || plan.steps !== order.steps) {
    throw new LimbeckError(
      "internal",
      `the coordinator assigned stage ${order.stage} of ${order.steps} steps, which this job does not have here`,
    );
  }
  return plan;
}

/** Exact: lanes are the leaves, so the sum does not depend on the deal (L1). Fast: one leaf per student. */
export function reductionOf({ students }: Pick<Membership, "students">, job: Job): Reduction {
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
