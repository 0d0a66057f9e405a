/** What Jobs must say so that the API server takes them, and that none of their pods is started beside the one it replaces. */
import { jobSpecOf } from "./pods.ts";
import { podsOf, type Thing } from "./render.ts";

export function jobProblems(objects: readonly Thing[]): string[] {
  return podsOf(objects).flatMap((pod) => {
    const job = jobSpecOf(pod);
    if (!job) return [];
    const must = (holds: boolean, what: string) => (holds ? [] : [`${pod.where}: ${what}`]);
    const isIndexed = job.completionMode === "Indexed";
    return [
      ...must(
        isIndexed || job.backoffLimitPerIndex === undefined,
        "failures are counted by index, and it is not Indexed",
      ),
      ...must(isIndexed || (job.completions ?? 1) === 1, "of several pods none has an index"),
      // One that leaves still has its GPU, and its replica until it is handed over.
      ...must(job.podReplacementPolicy === "Failed", "another is started before the one it replaces has gone"),
    ];
  });
}
