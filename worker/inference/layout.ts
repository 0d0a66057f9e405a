/** How examples lie in the tensor a model takes: as the dataset has them, channels first, or flat. */

import { LimbeckError } from "../../core/errors.ts";
import { sizeOf } from "../../core/layout.ts";
import { excerpt } from "../../core/words.ts";
import { bracketed, type DeclaredTensor, type Fit } from "./inference.ts";

export type InputLayout = "nhwc" | "nchw" | "flat";

/** Shape of one example [height, width, channels] in a layout; null where examples have no such layout. */
export function exampleShape(layout: InputLayout, shape: readonly number[]): readonly number[] | null {
  if (layout === "flat") return [sizeOf(shape)];
  const [height, width, channels] = shape;
  if (shape.length !== 3) return null;
  return layout === "nhwc" ? shape : [channels!, height!, width!];
}

/**
 * The layout that was asked for, or the only one that the input's declared shape [batch, …] takes.
 * @throws `bad_model` where none fits, or several do
 */
export function layoutFor(
  given: InputLayout | undefined,
  input: DeclaredTensor,
  { field, inputShape }: Fit,
): InputLayout {
  const all = (["nhwc", "nchw", "flat"] as const).flatMap((layout) => {
    const example = exampleShape(layout, inputShape);
    return example === null ? [] : [{ layout, example, fits: takes(input, example) }];
  });
  const fitting = all.filter(({ fits }) => fits);
  const described = all.map(({ layout, example }) => `${layout} ${bracketed([null, ...example])}`).join(", ");
  const declared = input.shape === null ? "does not say its shape" : `takes ${bracketed(input.shape)}`;
  if (given === undefined) {
    if (fitting.length === 1) return fitting[0]!.layout;
    const why = `the input ${excerpt(input.name)} ${declared}, the dataset's examples are ${bracketed(inputShape)}`;
    if (fitting.length > 1)
      throw new LimbeckError("bad_model", `${field}.layout: needed, for ${why}: give one of ${described}`);
    throw new LimbeckError("bad_model", `${field}: ${why}, which it takes in no layout: ${described}`);
  }
  if (fitting.some(({ layout }) => layout === given)) return given;
  const right =
    fitting.length > 0 ? `${fitting.map(({ layout }) => layout).join(" or ")} would fit` : "no layout would fit";
  const wrong = all.find(({ layout }) => layout === given);
  const made = wrong ? `makes ${bracketed([null, ...wrong.example])} of examples` : "needs examples";
  throw new LimbeckError(
    "bad_model",
    `${field}.layout: ${given} ${made} ${wrong ? `${bracketed(inputShape)}, and` : `[height, width, channels], the dataset's are ${bracketed(inputShape)}:`} the input ${excerpt(input.name)} ${declared}: ${right}`,
  );
}

function takes({ shape }: DeclaredTensor, example: readonly number[]): boolean {
  if (shape === null) return true;
  return shape.length === example.length + 1 && example.every((side, axis) => [null, side].includes(shape[axis + 1]!));
}

/** Writes `count` examples [height, width, channels] channels first. Indexed loops: this is per value of every batch. */
export function channelsFirst(inputs: Float32Array, count: number, shape: readonly number[], into: Float32Array): void {
  const [height, width, channels] = shape as [number, number, number];
  const pixels = height * width;
  for (let example = 0; example < count; example++) {
    const from = example * pixels * channels;
    for (let pixel = 0; pixel < pixels; pixel++) {
      for (let channel = 0; channel < channels; channel++) {
        into[from + channel * pixels + pixel] = inputs[from + pixel * channels + channel]!;
      }
    }
  }
}
