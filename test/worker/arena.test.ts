import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";
import { LimbeckError } from "../../core/errors.ts";
import { Arena, floatsAt, intsAt, regionOf } from "../../worker/arena.ts";
import { loadKernels } from "../../worker/kernels/kernels.ts";

// This file in another thread, from the sources and from dist/ alike: on Node 20 a thread does not inherit tsx.
const asThread = `import("tsx/esm/api").then(({ tsImport }) => tsImport("${import.meta.url}", "${import.meta.url}"))`;

if (isMainThread) {
  test("views are zeroed, aligned to 64 bytes, apart from each other and from the kernels' page", () => {
    const arena = Arena.create(4096);
    const views = [
      arena.floats(3),
      arena.ints(17),
      arena.bytes(1),
      arena.halves(40),
      arena.floats(0),
      arena.floats(16),
    ];
    let end = 65_536;
    for (const view of views) {
      assert.equal(view.byteOffset % 64, 0);
      assert.ok(view.byteOffset >= end, `a view at ${view.byteOffset} overlaps what ends at ${end}`);
      assert.ok(view.every((value) => value === 0));
      end = view.byteOffset + view.byteLength;
    }
  });

  test("an arena has room for what it was sized for, and no more than its pages", () => {
    const arena = Arena.create(64 * 3);
    for (let i = 0; i < 3; i++) arena.floats(16);
    assert.throws(() => arena.bytes(65_536), { code: "internal", message: /65536 elements of 1 bytes/ });
  });

  test("a job too large for 32-bit addresses is told so in numbers", () => {
    const tooLarge = () => Arena.create(5.5 * 2 ** 30);
    assert.throws(tooLarge, (error) => {
      assert.ok(error instanceof LimbeckError);
      assert.equal(error.code, "bad_model");
      assert.match(error.message, /5\.5 GiB.*4\.0 GiB/);
      return true;
    });
    assert.throws(() => Arena.create(2 ** 32 - 65_535), { code: "bad_model" });
  });

  test("a region names the same floats again", () => {
    const arena = Arena.create(1024);
    const floats = arena.floats(10).subarray(2, 7);
    floats.set([1, 2, 3, 4, 5]);
    assert.deepEqual(regionOf(floats), { byteOffset: floats.byteOffset, length: 5 });
    assert.deepEqual([...floatsAt(arena.memory, regionOf(floats))], [1, 2, 3, 4, 5]);
    const ints = arena.ints(2);
    ints.set([-1, 7]);
    assert.deepEqual([...intsAt(arena.memory, regionOf(ints))], [-1, 7]);
  });

  test("two threads work on one memory", { timeout: 20_000 }, async () => {
    const arena = Arena.create(4096);
    const [into, from] = [arena.floats(100), arena.floats(100)];
    into.fill(1);
    from.fill(2);
    const regions = { into: regionOf(into), from: regionOf(from) };
    const thread = new Worker(asThread, { eval: true, workerData: { memory: arena.memory, ...regions } });
    await once(thread, "message");
    assert.ok(into.every((value) => value === 3));
    await thread.terminate();
  });
} else {
  const { memory, into, from } = workerData;
  loadKernels(memory).add(floatsAt(memory, into), floatsAt(memory, from));
  parentPort!.postMessage("added");
}
