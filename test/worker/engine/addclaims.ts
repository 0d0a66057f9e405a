/** L1: lanes added on the device have the bits of lanes added on the host. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Engine } from "../../../worker/engine/engine.ts";
import { loadKernels } from "../../../worker/kernels/kernels.ts";
import { draws } from "./near.ts";

const smallestNormal = 2 ** -126;

const edges = [
  0,
  1,
  1 + 2 ** -23,
  2 ** -24,
  2 ** -149, // The smallest denormal.
  2 ** -127,
  smallestNormal - 2 ** -149, // The largest denormal.
  smallestNormal,
  smallestNormal * 1.25,
  smallestNormal * 1.5,
  3.4028234663852886e38,
  2 ** 103, // Half the last place of the largest number.
  Number.POSITIVE_INFINITY,
].flatMap((value) => [value, -value]);

export function addClaims({ tf, ops }: Engine): void {
  test("the engine adds lanes on the device", () => assert.equal(ops.addsOnDevice, true));

  test("edge cases are added on the device as on the host", () => {
    const values = [...edges, Number.NaN];
    assertSameBits(
      Float32Array.from(values.flatMap((value) => values.map(() => value))),
      Float32Array.from(values.flatMap(() => values)),
    );
  });

  // Short ones are added on one thread, long ones on all; odd lengths leave a rest after the last full vector.
  for (const count of [37, 400_001]) {
    test(`${count} numbers of all sizes are added on the device as on the host`, () => {
      assertSameBits(ofAllSizes(count, 1), ofAllSizes(count, 3));
    });
  }

  function assertSameBits(a: Float32Array, b: Float32Array): void {
    const onDevice = tf.tidy(() => tf.add(tf.tensor1d(a), tf.tensor1d(b)).dataSync());
    const onHost = addedOnHost(a, b);
    for (let at = 0; at < a.length; at++) {
      const isSame = Object.is(onDevice[at], onHost[at]);
      if (!isSame) assert.fail(`${a[at]} + ${b[at]} is ${onDevice[at]} on the device, ${onHost[at]} on the host`);
    }
  }
}

function addedOnHost(a: Float32Array, b: Float32Array): Float32Array {
  const pages = Math.ceil((8 * a.length) / 65536) + 2;
  const memory = new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true });
  const into = new Float32Array(memory.buffer, 65536, a.length);
  const from = new Float32Array(memory.buffer, 65536 + 4 * a.length, b.length);
  into.set(a);
  from.set(b);
  loadKernels(memory).add(into, from);
  return into;
}

/** Every exponent there is, half of them small enough for denormal sums. */
function ofAllSizes(count: number, seed: number): Float32Array {
  const exponents = draws(count, seed + 1);
  return draws(count, seed).map((value, at) => {
    const exponent = exponents[at]!;
    return value * 2 ** (exponent < 0 ? -126 - 10 * exponent - 10 : Math.floor(exponent * 254) - 126);
  });
}
