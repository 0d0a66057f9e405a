/** Kernels composed from other kernels of the WebAssembly backend. */
import type { KernelFunc, NamedAttrMap, TensorInfo } from "@tensorflow/tfjs";
import type { TF } from "./engine.ts";

export const wasmBackend = "wasm";

/** Runs kernels on the backend below the level of tensors: nothing lands on a gradient tape. */
export interface Runner {
  run(kernel: string, inputs: Record<string, TensorInfo>, attributes: NamedAttrMap): TensorInfo;
  free(...infos: readonly TensorInfo[]): void;
}

export type Composed = (runner: Runner, inputs: Record<string, TensorInfo>, attributes: NamedAttrMap) => TensorInfo;

interface Backend {
  disposeData(dataId: object): boolean;
}

export function asKernel(tf: TF, composed: Composed): KernelFunc {
  return ({ inputs, attrs, backend }) => {
    const run: Runner["run"] = (kernel, inputs, attrs) =>
      tf.getKernel(kernel, wasmBackend).kernelFunc({ inputs, attrs, backend }) as TensorInfo;
    const free: Runner["free"] = (...infos) => {
      for (const { dataId } of infos) (backend as Backend).disposeData(dataId);
    };
    return composed({ run, free }, inputs as Record<string, TensorInfo>, attrs ?? {});
  };
}
