/** The trainable part of the vectors, as runs of parameters that are updated alike. */
import type { Layout } from "../../core/layout.ts";

export interface Span {
  /** First float, in floats. */
  readonly offset: number;
  readonly size: number;
  /** Weight decay of all its floats. */
  readonly decay: number;
}

/** As few spans as there can be: neighbours with the same decay are one. */
export function spansOf(layout: Layout, weightDecay: number): readonly Span[] {
  const spans: Span[] = [];
  for (const { trainable, decays, offset, size } of layout.parameters) {
    if (!trainable) continue;
    const decay = decays ? weightDecay : 0;
    const last = spans.at(-1);
    if (last?.decay === decay) spans[spans.length - 1] = { ...last, size: last.size + size };
    else spans.push({ offset, size, decay });
  }
  return spans;
}
