/** Reading tensors back without leaving their bytes to the garbage collector. */
import { MessageChannel } from "node:worker_threads";
import type * as tfjs from "@tensorflow/tfjs";

// A buffer transferred to nobody is freed at once. Left alone, every read-back of some megabytes counts as garbage:
// after 64 MB of them V8 marks its whole heap, and each new one is fresh memory, whose pages fault (2.5 ms for 5 MB
// instead of 0.2).
const { port1: nowhere, port2: nobody } = new MessageChannel();
nobody.close();

/** Copies a tensor's values. Its own memory may be gone afterwards: dispose of it, and use nothing that shares it. */
export function readInto(tensor: tfjs.Tensor, into: Float32Array): void {
  const values = tensor.dataSync<"float32">();
  into.set(values);
  // Not what somebody else may hold: shared memory, or part of a larger buffer.
  if (values.buffer instanceof ArrayBuffer && values.byteLength === values.buffer.byteLength) {
    nowhere.postMessage(null, [values.buffer]);
  }
}
