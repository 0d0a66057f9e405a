/** Whether nodes are drained one after another where it matters. */
import { jobSpecOf } from "./pods.ts";
import { componentOf, type PodOf, podsOf, selects, type Thing } from "./render.ts";

export function budgetProblems(objects: readonly Thing[]): string[] {
  const budgets = objects.filter(({ kind }) => kind === "PodDisruptionBudget");
  return podsOf(objects)
    .filter(isMissed)
    .filter(({ labels }) => !budgets.some(({ spec }) => selects(spec.selector.matchLabels, labels)))
    .map(({ where }) => `${where}: all of its pods may be drained at once`);
}

/** Several that do the same. Of a Job's teachers the last may go: it is started elsewhere, and students wait for it. */
function isMissed(pod: PodOf): boolean {
  const { owner } = pod;
  const job = jobSpecOf(pod);
  if (job) return (job.parallelism ?? 1) > 1 && componentOf(pod) !== "teachers";
  return owner.kind !== "Pod" && (owner.spec.replicas ?? Number.POSITIVE_INFINITY) > 1;
}
