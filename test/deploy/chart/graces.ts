/** Whether what keeps a store of its own is let close it. */
import { podsOf, type Thing } from "./render.ts";

/** Kubernetes' own, where nothing is said. */
const usualSeconds = 30;

export function graceProblems(objects: readonly Thing[]): string[] {
  return podsOf(objects)
    .filter(({ owner }) => owner.kind === "StatefulSet")
    .map(({ where, spec }) => ({ where, seconds: spec.terminationGracePeriodSeconds ?? usualSeconds }))
    .filter(({ seconds }) => seconds < usualSeconds)
    .map(({ where, seconds }) => `${where} is killed after ${seconds} s, with what it has not written`);
}
