/** The kernels composed for WebAssembly compute what tfjs's own JavaScript kernels do. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { NamedAttrMap, Tensor, Tensor4D } from "@tensorflow/tfjs";
import type { Engine } from "../../../worker/engine/engine.ts";
import { draws, near } from "./near.ts";

type Pad = "same" | "valid" | number | [number, number][];

interface Convolution {
  /** [batch, height, width, channels] */
  readonly x: readonly [number, number, number, number];
  /** [height, width, channels, outputs or multiplier] */
  readonly filter: readonly [number, number, number, number];
  readonly strides: number | [number, number];
  readonly pad: Pad;
  readonly dilations?: number | [number, number];
}

const explicit: Pad = [
  [0, 0],
  [2, 1],
  [0, 3],
  [0, 0],
];

const convolutions: readonly Convolution[] = [
  { x: [2, 6, 7, 3], filter: [3, 3, 3, 4], strides: 1, pad: "same" },
  { x: [2, 6, 7, 3], filter: [3, 2, 3, 4], strides: 1, pad: "valid" },
  { x: [2, 7, 6, 3], filter: [3, 3, 3, 4], strides: 2, pad: "same" },
  { x: [2, 8, 8, 2], filter: [3, 3, 2, 1], strides: 2, pad: "valid" }, // The last row and column are seen by no window.
  { x: [3, 9, 8, 2], filter: [2, 3, 2, 5], strides: [3, 2], pad: "same" },
  { x: [2, 6, 6, 1], filter: [3, 3, 1, 2], strides: 1, pad: 1 },
  { x: [2, 6, 6, 3], filter: [3, 4, 3, 2], strides: 1, pad: explicit },
  { x: [2, 6, 6, 3], filter: [3, 4, 3, 2], strides: 2, pad: explicit },
  { x: [1, 5, 5, 1], filter: [5, 5, 1, 1], strides: 1, pad: "valid" },
  { x: [4, 5, 5, 3], filter: [1, 1, 3, 6], strides: 1, pad: "same" },
  { x: [4, 5, 5, 3], filter: [1, 1, 3, 6], strides: 2, pad: "same" },
];

const depthwise: readonly Convolution[] = [
  ...convolutions.filter(({ strides }) => typeof strides === "number"),
  { x: [2, 7, 6, 3], filter: [3, 3, 3, 1], strides: 2, pad: "same" },
];

const dilated: readonly Convolution[] = [
  { x: [2, 7, 7, 2], filter: [3, 3, 2, 2], strides: 1, pad: "same", dilations: 2 },
  { x: [1, 7, 8, 2], filter: [3, 2, 2, 1], strides: 1, pad: "valid", dilations: [2, 3] },
];

export function wasmKernelClaims({ tf }: Engine): void {
  /** The results on WebAssembly against those in JavaScript; and nothing stays in the backend (L8). */
  async function assertSame(work: () => Tensor[]): Promise<void> {
    const backend = tf.backend() as unknown as { numDataIds(): number };
    const before = [tf.memory().numTensors, tf.memory().numDataBuffers, backend.numDataIds()];
    const found = run();
    assert.deepEqual([tf.memory().numTensors, tf.memory().numDataBuffers, backend.numDataIds()], before);
    const expected = await inJavaScript(run);
    assert.deepEqual(
      found.map(({ shape }) => shape),
      expected.map(({ shape }) => shape),
    );
    for (const [at, { values }] of found.entries()) near(values, expected[at]!.values, 1e-4);

    function run() {
      return tf.tidy(() => work().map((tensor) => ({ shape: tensor.shape, values: tensor.dataSync() })));
    }
  }

  async function inJavaScript<T>(work: () => T): Promise<T> {
    tf.env().set("IS_TEST", true); // Without its banner.
    try {
      await tf.setBackend("cpu");
      return work();
    } finally {
      tf.env().set("IS_TEST", false);
      await tf.setBackend("wasm");
      assert.equal(tf.getBackend(), "wasm");
    }
  }

  const drawn = (shape: readonly number[], seed: number) =>
    tf.tensor(draws(tf.util.sizeFromShape([...shape]), seed), [...shape]);
  const kernel = (name: string, inputs: Record<string, Tensor>, attributes: object) =>
    tf.engine().runKernel(name, inputs, attributes as NamedAttrMap) as Tensor;

  /** Of the same shape for either kind of convolution, but for its channels. */
  const outShape = ({ x, filter, strides, pad, dilations = 1 }: Convolution, isDepthwise: boolean) =>
    tf.backend_util.computeConv2DInfo(
      x as never,
      filter as never,
      strides,
      dilations,
      pad as never,
      undefined,
      isDepthwise,
    ).outShape;

  const named = ({ x, filter, strides, pad, dilations }: Convolution) =>
    `[${x}] * [${filter}], strides ${strides}, pad ${pad}${dilations ? `, dilations ${dilations}` : ""}`;

  for (const convolution of convolutions) {
    test(`the filter gradient of the convolution ${named(convolution)}`, async () => {
      const { x, filter, strides, pad } = convolution;
      await assertSame(() => {
        const inputs = { x: drawn(x, 1), dy: drawn(outShape(convolution, false), 2) };
        const attributes = { strides, pad, dataFormat: "NHWC", dimRoundingMode: undefined, filterShape: filter };
        return [kernel("Conv2DBackpropFilter", inputs, attributes)];
      });
    });
  }

  function depthwiseGradients(convolution: Convolution): [Tensor, Tensor] {
    const { x, filter, strides, pad, dilations = 1 } = convolution;
    const attributes = { strides, pad, dilations, dimRoundingMode: undefined };
    const dy = drawn(outShape(convolution, true), 2);
    const [image, taps] = [drawn(x, 1), drawn(filter, 3)];
    return [
      kernel("DepthwiseConv2dNativeBackpropFilter", { x: image, dy }, { ...attributes, filterShape: filter }),
      kernel("DepthwiseConv2dNativeBackpropInput", { dy, filter: taps }, { ...attributes, inputShape: x }),
    ];
  }

  for (const convolution of depthwise) {
    test(`the gradients of the depthwise convolution ${named(convolution)}`, async () => {
      await assertSame(() => depthwiseGradients(convolution));
    });
  }

  // tfjs's JavaScript kernels leave the dilation out of these gradients. A convolution is linear in its image and in
  // its filter: each element of a gradient is the product of dy with the convolution of a unit vector.
  for (const convolution of dilated) {
    test(`the gradients of the depthwise convolution ${named(convolution)}`, () => {
      const { x, filter, strides, pad, dilations } = convolution;
      const forward = (image: Tensor, taps: Tensor) =>
        tf.depthwiseConv2d(image as never, taps as never, strides, pad as never, "NHWC", dilations);
      const units = (shape: readonly number[], forwardOf: (unit: Tensor) => Tensor) => {
        const size = tf.util.sizeFromShape([...shape]);
        const dy = drawn(outShape(convolution, true), 2);
        return Array.from({ length: size }, (_, at) =>
          tf.tidy(
            () =>
              forwardOf(
                tf
                  .oneHot(at, size)
                  .cast("float32")
                  .reshape([...shape]),
              )
                .mul(dy)
                .sum()
                .dataSync()[0]!,
          ),
        );
      };
      tf.tidy(() => {
        const [byFilter, byImage] = depthwiseGradients(convolution);
        near(
          byFilter.dataSync(),
          units(filter, (unit) => forward(drawn(x, 1), unit)),
          1e-4,
        );
        near(
          byImage.dataSync(),
          units(x, (unit) => forward(unit, drawn(filter, 3))),
          1e-4,
        );
      });
    });
  }

  test("the gradients of layers that use them, through the tape", async () => {
    const loss = (x: Tensor4D, filter: Tensor4D, taps: Tensor4D): Tensor =>
      tf.square(tf.depthwiseConv2d(tf.conv2d(x, filter, 2, "same"), taps, 2, "same")).sum();
    await assertSame(() =>
      tf.grads(loss as never)([drawn([2, 9, 9, 2], 1), drawn([3, 3, 2, 4], 2), drawn([3, 3, 4, 2], 3)]),
    );
  });

  for (const rest of [[], [3], [2, 3]]) {
    test(`a segment sum of rows of [${rest}]: repeated, missing and negative ids`, async () => {
      await assertSame(() => {
        const ids = tf.tensor1d([2, 0, 2, -1, 4, 2, -3], "int32");
        return [tf.unsortedSegmentSum(drawn([7, ...rest], 1), ids, 6)];
      });
    });
  }

  test("the gradient of a gather adds up what was gathered twice", async () => {
    await assertSame(() => [
      tf.grad((table: Tensor) =>
        tf
          .gather(table, tf.tensor1d([1, 3, 1], "int32"))
          .square()
          .sum(),
      )(drawn([5, 4], 1)),
    ]);
  });

  const products = [
    { a: [5, 7], b: [7, 4] },
    { a: [1, 7], b: [7, 1] },
    { a: [3, 5, 7], b: [3, 7, 4] },
    { a: [3, 5, 7], b: [1, 7, 4] },
    { a: [2, 1, 5, 7], b: [3, 7, 4] },
  ];
  for (const { a, b } of products) {
    test(`matrix products [${a}] x [${b}] in all four transpositions`, async () => {
      const turned = (shape: readonly number[], isTurned: boolean) =>
        isTurned ? [...shape.slice(0, -2), shape.at(-1)!, shape.at(-2)!] : shape;
      await assertSame(() =>
        [0, 1, 2, 3].map((bits) => {
          const [transposeA, transposeB] = [bits % 2 === 1, bits > 1];
          return tf.matMul(drawn(turned(a, transposeA), 1), drawn(turned(b, transposeB), 2), transposeA, transposeB);
        }),
      );
    });
  }
}
