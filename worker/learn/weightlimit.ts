/** A model is built before its weights are looked at: layers that say absurd sizes would take all memory there is. */
import { sizeOf } from "../../core/layout.ts";
import type { TF } from "../engine/engine.ts";

interface LayerPrototype {
  addWeight(name: string, shape: number[], ...rest: unknown[]): unknown;
}

/**
 * Runs what builds layers; one that would have more weights than are left ends it before they are made.
 * @param most numbers in all weights together
 * @throws Error in words, to go on in a sentence about the model
 */
export async function withWeightLimit<T>(tf: TF, most: number, build: () => T | Promise<T>): Promise<T> {
  const { prototype } = tf.layers.Layer as unknown as { prototype: LayerPrototype };
  const { addWeight } = prototype;
  let left = most;
  prototype.addWeight = function limited(name, shape, ...rest) {
    const size = sizeOf(shape);
    if (!(size >= 0 && size <= left)) {
      throw new Error(
        `its layers have more weights than there are: ${name} of [${shape.join(", ")}] is beyond the ${most}`,
      );
    }
    left -= size;
    return addWeight.call(this, name, shape, ...rest);
  };
  try {
    return await build();
  } finally {
    prototype.addWeight = addWeight;
  }
}
