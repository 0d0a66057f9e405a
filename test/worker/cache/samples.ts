/** Keys of stores, and logits that tell what they were made for. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { hash32 } from "../../../core/random.ts";
import type { StoreKey } from "../../../worker/cache/key.ts";

export const key: StoreKey = {
  teacher: "t1",
  dataset: "d1",
  examples: 1000,
  classes: 7,
  format: "float16",
  views: { spec: { shift: 2, flip: true }, seed: 3 },
  period: 4,
  bits: { laneBatch: 32, engine: "e1" },
};

/** [examples, classes], all of them values of float16. */
export function logitsOf(examples: Uint32Array, view: number, classes = key.classes): Float32Array<ArrayBuffer> {
  return Float32Array.from(
    { length: examples.length * classes },
    (_, at) => (hash32(examples[Math.floor(at / classes)]!, view, at % classes) % 2048) / 64 - 16,
  );
}

export function scratchFolder(test: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "limbeck-cache-"));
  test.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
