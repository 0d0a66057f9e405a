/** The section on soft targets: whence they come, and how the teachers keep up. */
import { bytesText, duration, percent, whole } from "../../../core/words.ts";
import { byId, fillFigures, setText } from "./dom.ts";
import type { Model } from "./model.ts";

export function showSoftTargets({ job, workers, history }: Model): void {
  const { softTargets, split } = job;
  const cache = history.stages.findLast((past) => past.cache !== null)?.cache;
  byId("softTargetsSection").hidden = !softTargets && !cache;
  const why = split ? ` ${split.why}.` : "";
  setText(byId("cache"), `${cache ? `They are ${cache.cache}: ${cache.why}.` : ""}${why}`);
  const teachers = [...workers.values()].filter(({ role }) => role === "teacher");
  const speed = teachers.reduce((sum, { examplesPerSecond }) => sum + (examplesPerSecond ?? 0), 0);
  const queue = teachers.reduce((sum, { queuedExamples }) => sum + queuedExamples, 0);
  fillFigures(byId("targets"), [
    ["teachers can serve, examples per second", speed > 0 ? whole.format(speed) : "–"],
    ["examples in their queues", whole.format(queue)],
    ...(softTargets
      ? ([
          ["needed in this stage", whole.format(softTargets.requested)],
          ["from the cache", softTargets.requested > 0 ? percent(softTargets.cached / softTargets.requested) : "–"],
          ["students waited for them", duration(softTargets.secondsWaited)],
          ["received", bytesText(softTargets.bytes)],
          ["asked of two teachers", whole.format(softTargets.hedged)],
          ["asked again", whole.format(softTargets.askedAgain)],
        ] as const)
      : []),
  ]);
}
