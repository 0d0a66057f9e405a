/** Which soft targets of a job can be kept on disk: those of views that come again. Says why, for the run and its report. */
import type { Job } from "./job.ts";
import type { ViewSpec } from "./jobparts.ts";

/** Whether every view of this spec is the example itself. */
export function isPlain({ shift, flip }: ViewSpec): boolean {
  return shift === 0 && !flip;
}

/** Epochs after which the views come again: 1 for plain examples, Infinity where every epoch has its own. */
export function viewPeriod(spec: ViewSpec): number {
  return isPlain(spec) ? 1 : (spec.repeat ?? Number.POSITIVE_INFINITY);
}

export type CachePlan =
  | {
      readonly kind: "cached" /** Views of each example that are kept. */;
      readonly views: number;
      readonly why: string;
    }
  | { readonly kind: "uncached"; readonly why: string };

/** @param unfit why the teachers' soft targets must not be kept, as they found; empty where they may */
export function cachePlan({ softTargets, distil }: Pick<Job, "softTargets" | "distil">, unfit: string): CachePlan {
  if (softTargets.cache === false) return { kind: "uncached", why: "the job says softTargets.cache: false" };
  if (unfit !== "") return { kind: "uncached", why: unfit };
  const views = viewPeriod(distil.views);
  if (views === Number.POSITIVE_INFINITY) {
    const why =
      "the views of distil are endless, every epoch has its own: distil.views.repeat would make them come again";
    return { kind: "uncached", why };
  }
  const why = isPlain(distil.views)
    ? "the examples of distil are plain, every epoch has the same"
    : `the views of distil come again every ${views} epochs`;
  return { kind: "cached", views, why };
}

/** Before the logits of a record in the cache: checksum, example, view. */
export const recordHeadBytes = 12;

/** Of a record, which keeps what a student decodes: all classes, as the format rounded them. */
export function recordBytes({ format, classes }: { readonly format: string; readonly classes: number }): number {
  return recordHeadBytes + classes * (format === "float16" ? 2 : 4);
}
