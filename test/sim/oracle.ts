/** What must come out: one undisturbed pass over the job, computed beforehand, by code that shares nothing with the run's. */
import { createHash } from "node:crypto";
import type { Job } from "../../core/job.ts";
import { type LedgerPlan, laneExamples, stepShare } from "../../core/ledger.ts";
import { mixtureIdentity, mixtureOf } from "../../core/mixture.ts";
import { planStages, type StagePlan } from "../../core/stages.ts";
import { isApart, teacherParts } from "../../core/teacherparts.ts";
import {
  add,
  type Gradient,
  initialWeights,
  isFiniteSum,
  laneGradient,
  memberOf,
  mixed,
  sha256Of,
  softTargetsOf,
  updated,
} from "./arithmetic.ts";

/** "stage/step/lane" */
export type Poison = ReadonlySet<string>;

export class Oracle {
  readonly job: Job;
  readonly ledger: LedgerPlan;
  readonly stages: readonly StagePlan[];
  readonly poison: Poison;
  /** By stage: the weights after so many steps. */
  readonly weights: readonly (readonly number[])[];
  /** By stage: which steps are skipped. */
  readonly skips: readonly ReadonlySet<number>[];
  readonly #ids = new Map<number, readonly Uint32Array[]>();

  constructor(job: Job, trainExamples: number, poison: Poison) {
    this.job = job;
    this.poison = poison;
    this.ledger = { seed: job.seed, trainExamples, lanes: job.lanes.count, laneBatch: job.lanes.batch };
    this.stages = planStages(job, trainExamples);
    const [weights, skips]: [number[][], Set<number>[]] = [[], []];
    this.weights = weights;
    this.skips = skips;
    for (const at of this.stages.keys()) {
      const skipped = new Set<number>();
      weights.push(this.#pass(at, skipped));
      skips.push(skipped);
    }
  }

  get teacher(): number {
    return this.weights[0]!.at(-1)!;
  }

  /** What a worker serves of the teacher. */
  partOf(teacher: number, part: number): number {
    return isApart(this.job.teacher) ? memberOf(teacher, part) : teacher;
  }

  get parts(): number {
    return teacherParts(this.job.teacher).length;
  }

  softTargets(view: number, ids: Uint32Array): number {
    const parts = Array.from({ length: this.parts }, (_, part) => this.partOf(this.teacher, part));
    return mixed(parts.map((each) => softTargetsOf(each, view, ids)));
  }

  /** Digest of the model that a stage gives: of an ensemble, that of its members together. */
  digestOf(stage: number, weights: number): string {
    const { teacher, distil } = this.job;
    if (stage > 0 || !isApart(teacher)) return sha256Of(weights);
    const members = teacher.ensemble.map((_, part) => sha256Of(memberOf(weights, part)));
    const identity = mixtureIdentity(mixtureOf(teacher, distil.temperature), members);
    return createHash("sha256").update(identity).digest("hex");
  }

  indexOf(stage: string): number {
    return this.stages.findIndex((each) => each.stage === stage);
  }

  /** Memo of core/ledger.ts, by lane. */
  idsOf(step: number): readonly Uint32Array[] {
    let ids = this.#ids.get(step);
    if (!ids) {
      ids = Array.from({ length: this.ledger.lanes }, (_, lane) => laneExamples(this.ledger, step, lane));
      this.#ids.set(step, ids);
    }
    return ids;
  }

  gradient(stage: number, step: number, lane: number, weights: number, softTargets: number): Gradient {
    const isPoison = this.poison.has(`${stage}/${step}/${lane}`);
    const ids = this.idsOf(step)[lane]!;
    return laneGradient({ seed: this.job.seed, weights, stage, step, lane, ids, softTargets, isPoison });
  }

  /** Examples consumed after so many steps, in all epochs. */
  seenAfter(steps: number): number {
    let seen = 0;
    for (let step = 0; step < steps; step++) seen += stepShare(this.ledger, step).examples;
    return seen;
  }

  #pass(stage: number, skipped: Set<number>): number[] {
    const { steps, soft } = this.stages[stage]!;
    const weights = [initialWeights(this.job.seed, stage)];
    for (let step = 0; step < steps; step++) {
      const now = weights[step]!;
      const view = stepShare(this.ledger, step).epoch;
      const gradients = this.idsOf(step).map((ids, lane) => {
        const targets = soft ? this.softTargets(view, ids) : 0;
        return this.gradient(stage, step, lane, now, targets);
      });
      const sum = sumOf(gradients);
      if (!isFiniteSum(sum)) skipped.add(step);
      weights.push(isFiniteSum(sum) ? updated(now, step, sum) : now);
    }
    return weights;
  }
}

/** Halves at the greatest power of two below the count: the tree, said in another way. */
function sumOf(gradients: readonly Gradient[]): Gradient {
  if (gradients.length === 1) return gradients[0]!;
  let half = 1;
  while (2 * half < gradients.length) half *= 2;
  const [left, right] = [sumOf(gradients.slice(0, half)), sumOf(gradients.slice(half))];
  return left.map((each, element) => add(each, right[element]!));
}
