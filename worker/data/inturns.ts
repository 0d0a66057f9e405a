/** Views of many examples, written in turns of a few milliseconds: no heartbeat is late because a batch is large (L7). */
import { setImmediate } from "node:timers/promises";
import { sizeOf } from "../../core/layout.ts";
import type { Dataset, ViewKey } from "./dataset.ts";

/** Floats of views written between two turns of the event loop: a millisecond or a few. */
const turnFloats = 2 ** 18;

/** Training examples under the view. @param into at least [examples × features] */
export async function writeInTurns(
  dataset: Dataset,
  { examples, view }: { readonly examples: Uint32Array; readonly view: ViewKey | null },
  into: Float32Array,
): Promise<void> {
  const features = sizeOf(dataset.shape);
  const perTurn = Math.max(1, Math.floor(turnFloats / features));
  for (let at = 0; at < examples.length; at += perTurn) {
    const some = examples.subarray(at, at + perTurn);
    dataset.examples("train", some, view, into.subarray(at * features, (at + some.length) * features));
    await setImmediate();
  }
}
