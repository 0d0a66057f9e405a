/** sha256 of weights and of files. */
import { createHash } from "node:crypto";
import { LimbeckError } from "../../core/errors.ts";
import type { Layout } from "../../core/layout.ts";
import { bytesOf } from "../bytes.ts";

export function sha256Hex(bytes: Uint8Array | string): string {
  return createHash("sha256").update(bytes).digest("hex");
}

/**
 * sha256 of all weights as little-endian float32, one after another in the model's own order: the same as hashing
 * what `model.getWeights()` gives, whatever the layout.
 * @param order every parameter of the layout, in the model's order
 * @param weights [layout.weights], in the layout; may lie in shared memory
 */
export function weightsSha256(order: readonly string[], layout: Layout, weights: Float32Array): string {
  const hash = createHash("sha256");
  for (const values of weightsInOrder(order, layout, weights)) hash.update(bytesOf(values));
  return hash.digest("hex");
}

/** Views of each parameter's weights, in the model's own order. */
export function weightsInOrder(order: readonly string[], layout: Layout, weights: Float32Array): Float32Array[] {
  const places = new Map(layout.parameters.map((parameter) => [parameter.name, parameter]));
  if (order.length !== places.size || weights.length !== layout.weights) {
    throw new LimbeckError(
      "internal",
      `${order.length} weights of ${weights.length} floats do not fit a layout of ${places.size} of ${layout.weights} floats`,
    );
  }
  return order.map((name) => {
    const place = places.get(name);
    if (!place) throw new LimbeckError("internal", `the layout has no weight named ${name}`);
    return weights.subarray(place.offset, place.offset + place.size);
  });
}
