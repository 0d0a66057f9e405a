/**
 * Smaller models for browsers and phones, in tfjs's own quantised format, which `tf.loadLayersModel` decodes.
 * Kernels are narrowed; vectors and scalars (biases, batch norm) stay float32: they are well under a hundredth of the
 * bytes, an error in a bias shifts a unit for every example, and a batch-norm variance rounded to 0 would blow up.
 */
import { encodeFloat16, fitsFloat16 } from "../../core/float16.ts";
import { bytesOf } from "../bytes.ts";
import type { ModelArtifact } from "./model.ts";
import { type EncodedWeight, namedWeights, type SavedModel, saveEncoded, type WeightSpec } from "./tfjs.ts";

export type QuantizedFormat = "float16" | "uint8";

/**
 * Saves a quantised model, in place of a model of that folder.
 * @param metadata kept as userDefinedMetadata
 * @throws LimbeckError `unavailable` where the disk does not take it; the folder is then as it was
 */
export async function saveQuantized(
  folder: string,
  artifact: ModelArtifact,
  format: QuantizedFormat,
  metadata: Readonly<Record<string, unknown>> = {},
): Promise<SavedModel> {
  const weights = namedWeights(artifact).map(({ name, shape, values }): EncodedWeight => {
    const spec: WeightSpec = { name, shape, dtype: "float32" };
    if (shape.length < 2 || values.length === 0) return { spec, bytes: bytesOf(values) };
    return format === "float16" ? asFloat16(spec, values) : asUint8(spec, values);
  });
  return saveEncoded(folder, artifact.topology, weights, metadata);
}

/** A tensor with a value beyond float16's range, or not a number, stays float32. */
function asFloat16(spec: WeightSpec, values: Float32Array): EncodedWeight {
  if (!fitsFloat16(values)) return { spec, bytes: bytesOf(values) };
  return {
    spec: { ...spec, quantization: { dtype: "float16", original_dtype: "float32" } },
    bytes: bytesOf(encodeFloat16(values)),
  };
}

/**
 * Affine per tensor, code = round((value - min) / scale), as tfjs's converter does it: where the range holds 0, it is
 * moved by at most half a code so that 0 has one of its own. No value is off by more than half of scale.
 */
function asUint8(spec: WeightSpec, values: Float32Array): EncodedWeight {
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for (const value of values) {
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  if (!Number.isFinite(high - low)) return { spec, bytes: bytesOf(values) };
  const scale = high > low ? (high - low) / 255 : 1;
  const min = low <= 0 && high >= 0 ? -Math.round(-low / scale) * scale : low;
  // A clamped array rounds, and keeps what lies beyond the moved range at its end.
  const codes = new Uint8ClampedArray(values.length);
  for (let i = 0; i < values.length; i++) codes[i] = (values[i]! - min) / scale;
  return {
    spec: { ...spec, quantization: { dtype: "uint8", scale, min, original_dtype: "float32" } },
    bytes: bytesOf(codes),
  };
}
