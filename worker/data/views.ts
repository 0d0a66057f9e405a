/**
 * Views: what a view does to an example is a pure function of (seed, epoch, example) and its spec, so teacher and
 * students see the same pictures without sending them (L6).
 */
import { hash32, purpose } from "../../core/random.ts";
import type { ViewKey } from "./dataset.ts";

/** Move by (dx, dy) pixels, right and down, then mirror left to right if `flip`. */
export interface View {
  readonly dx: number;
  readonly dy: number;
  readonly flip: boolean;
}

/** dx and dy are independent and uniform in [-shift, shift]; flip has probability 1/2. */
export function viewOf({ spec, seed, epoch }: ViewKey, example: number): View {
  const draw = hash32(purpose.view, seed, epoch, example);
  // The low bit flips; the other 31 choose one of side² moves (side² is at most 129², so the bias is below 1e-5).
  const side = 2 * spec.shift + 1;
  const move = Math.floor(((draw >>> 1) / 2 ** 31) * side * side);
  return {
    dx: (move % side) - spec.shift,
    dy: Math.floor(move / side) - spec.shift,
    flip: spec.flip && (draw & 1) === 1,
  };
}

/** Writes `length` values of the example, from its `from`th, to `into` at `at`. */
export type CopyRun = (from: number, length: number, into: Float32Array, at: number) => void;

export interface Image {
  /** [height, width, channels] */
  readonly shape: readonly number[];
  /** What moves in at the edges. */
  readonly background: number;
  readonly copy: CopyRun;
}

/** Writes the view of one image. @param from where the image begins for `copy` */
export function writeView(view: View, image: Image, from: number, into: Float32Array, at: number): void {
  const [height, width, channels] = image.shape as [number, number, number];
  const row = width * channels;
  into.fill(image.background, at, at + height * row);
  const moved = view.dx * channels;
  const length = row - Math.abs(moved);
  const [source, target] = [Math.max(0, -moved), Math.max(0, moved)];
  if (length > 0) {
    const bottom = Math.min(height, height + view.dy);
    for (let y = Math.max(0, view.dy); y < bottom; y++) {
      image.copy(from + (y - view.dy) * row + source, length, into, at + y * row + target);
    }
  }
  if (view.flip) for (let y = 0; y < height; y++) mirror(into, at + y * row, width, channels);
}

/** Mirrors a row of pixels in place. */
function mirror(into: Float32Array, at: number, width: number, channels: number): void {
  for (let left = at, right = at + (width - 1) * channels; left < right; left += channels, right -= channels) {
    for (let channel = 0; channel < channels; channel++) {
      const value = into[left + channel]!;
      into[left + channel] = into[right + channel]!;
      into[right + channel] = value;
    }
  }
}
