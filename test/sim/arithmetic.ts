/**
 * Numbers instead of tensors. A replica's weights are 32 bits, a gradient a few words; adding two is a hash that neither
 * commutes nor associates, so that a sum in any other order than the tree's shows in the weights.
 */
import { hash32 } from "../../core/random.ts";

/** Elements of a gradient, so that every member may own a part of it. */
export const elements = 8;

export type Gradient = number[];

export interface LaneOfStep {
  readonly seed: number;
  readonly weights: number;
  readonly stage: number;
  readonly step: number;
  readonly lane: number;
  readonly ids: Uint32Array;
  /** 0 where the stage has none. */
  readonly softTargets: number;
  readonly isPoison: boolean;
}

export function laneGradient({ seed, weights, stage, step, lane, ids, softTargets, isPoison }: LaneOfStep): Gradient {
  const base = hash32(seed, weights, stage, step, lane, softTargets, ...ids);
  const gradient = Array.from({ length: elements }, (_, element) => hash32(base, element));
  if (isPoison) gradient[lane % elements] = Number.NaN;
  return gradient;
}

/** Adds element by element. NaN stays NaN. */
export function add(one: number, other: number): number {
  return Number.isNaN(one) || Number.isNaN(other) ? Number.NaN : hash32(0xadd, one, other);
}

export function isFiniteSum(sum: Gradient): boolean {
  return sum.every((element) => Number.isFinite(element));
}

export function updated(weights: number, step: number, sum: Gradient): number {
  return hash32(0xa991e, weights, step, ...sum);
}

export function initialWeights(seed: number, stage: number): number {
  return hash32(0x1217, seed, stage);
}

export function softTargetsOf(teacher: number, view: number, ids: Uint32Array): number {
  return hash32(0x50f7, teacher, view, ...ids);
}

/** A member of an ensemble, whose weights follow from those of the whole. */
export function memberOf(teacher: number, part: number): number {
  return hash32(0x3e3b, teacher, part);
}

/** Of several members, in their order. */
export function mixed(values: readonly number[]): number {
  return values.length === 1 ? values[0]! : hash32(0x313c, ...values);
}

export function sha256Of(weights: number): string {
  return weights.toString(16).padStart(8, "0");
}
