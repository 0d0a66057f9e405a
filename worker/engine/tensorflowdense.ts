/**
 * A dense layer as one kernel and one gradient on TensorFlow. tfjs records matrix product, bias and activation as ops
 * of their own, with reshapes and saved tensors between them: a fifth of the time of a lane of 64 examples.
 */
import type { NamedTensorMap, Tensor, Tensor1D, Tensor2D } from "@tensorflow/tfjs";
import type { Ops, TF } from "./engine.ts";
import type { Attribute, TensorFlowBackend } from "./tensorflowops.ts";

const kernelName = "LimbeckDense";

/** The types of tfjs leave out what a kernel is really called with. */
interface Call {
  readonly inputs: { readonly x: Tensor2D; readonly kernel: Tensor2D; readonly bias?: Tensor1D };
  readonly attrs: { readonly activation: "linear" | "relu" };
}

/** Registers the kernel, once per engine, and gives the op that runs it. */
export function tensorflowDense(tf: TF, backend: TensorFlowBackend): NonNullable<Ops["dense"]> {
  const { binding } = backend;
  const float32: Attribute = { name: "T", type: binding.TF_ATTR_TYPE, value: binding.TF_FLOAT };
  const bool = (name: string, value: boolean): Attribute => ({ name, type: binding.TF_ATTR_BOOL, value });
  const run = (name: string, ...inputs: Tensor[]) => backend.executeSingleOutput(name, [float32], inputs);
  // Not MatMul, which is no faster inside a training step, and whose sgemm in TensorFlow 2.21 aborts with a corrupted heap
  // where a sampling profiler (node --cpu-prof) interrupts it.
  const productOf = (transposed: "neither" | "first" | "second"): ((a: Tensor, b: Tensor) => Tensor) => {
    const attributes = [float32, bool("adj_x", transposed === "first"), bool("adj_y", transposed === "second")];
    return (a, b) => backend.executeSingleOutput("BatchMatMulV2", attributes, [a, b]);
  };
  const product = productOf("neither");
  const productOfFirstTransposed = productOf("first");
  const productOfSecondTransposed = productOf("second");

  tf.registerKernel({
    kernelName,
    backendName: "tensorflow",
    kernelFunc: ((call: Call) => {
      const { x, kernel, bias } = call.inputs;
      return tf.tidy(() => {
        const multiplied = product(x, kernel);
        const shifted = bias ? run("BiasAdd", multiplied, bias) : multiplied;
        return call.attrs.activation === "relu" ? run("Relu", shifted) : shifted;
      });
    }) as never,
  });
  tf.registerGradient({
    kernelName,
    inputsToSave: ["x", "kernel"],
    outputsToSave: [true],
    gradFunc: ((dy: Tensor, [x, kernel, y]: [Tensor, Tensor, Tensor], attrs: Call["attrs"]) => {
      const dz = attrs.activation === "relu" ? run("ReluGrad", dy, y) : dy;
      // Only what is asked for is computed: the first layer's x needs none.
      return {
        x: () => productOfSecondTransposed(dz, kernel),
        kernel: () => productOfFirstTransposed(x, dz),
        bias: () => run("BiasAddGrad", dz),
      };
    }) as never,
  });

  return (x, { kernel, bias, activation }) => {
    const inputs: NamedTensorMap = bias ? { x, kernel, bias } : { x, kernel };
    return tf.engine().runKernel(kernelName, inputs, { activation }) as Tensor2D;
  };
}
