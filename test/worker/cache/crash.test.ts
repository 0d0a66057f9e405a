import assert from "node:assert/strict";
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { randomStream } from "../../../core/random.ts";
import { checkStore } from "../../../worker/cache/check.ts";
import { Store } from "../../../worker/cache/store.ts";
import { findStore } from "../../../worker/cache/stores.ts";
import { key, logitsOf, scratchFolder } from "./samples.ts";

// The sources and dist/ alike: .ts there, .js here.
const writer = fileURLToPath(import.meta.url).replace(/crash\.test(\.[jt]s)$/, "writer$1");

test("three processes fill one store, killed at any moment: whatever is found is right", {
  timeout: 120_000,
}, async (t) => {
  const dir = scratchFolder(t);
  const random = randomStream(11);
  const start = async (seed: number): Promise<ChildProcess> => {
    const child = fork(writer, [dir, String(seed)], { stdio: "inherit" });
    t.after(() => void child.kill("SIGKILL"));
    const died = once(child, "close").then(([code]) => assert.fail(`a writer ended by itself: ${code}`));
    await Promise.race([once(child, "message"), died]);
    died.catch(() => undefined);
    return child;
  };
  const writers = await Promise.all([1, 2, 3].map(start));
  const folder = (await findStore(dir, key))!;
  const store = new Store(folder, key);
  t.after(() => store.close());
  const all = Uint32Array.from({ length: key.examples }, (_, example) => example);
  let found = 0;
  for (let kill = 0; kill < 6; kill++) {
    await sleep(random() * 80);
    const gone = once(writers[kill % 3]!, "close");
    writers[kill % 3]!.kill("SIGKILL");
    await gone;
    for (let view = 0; view < key.period; view++) {
      const { logits, missing } = store.read(all, view);
      const expected = logitsOf(all, view);
      for (const at of missing) expected.fill(0, at * key.classes, (at + 1) * key.classes);
      assert.deepEqual(logits, expected);
      found += all.length - missing.length;
    }
    writers[kill % 3] = await start(10 + kill);
  }
  assert.ok(found > 0, "nothing was written meanwhile");
  for (const child of writers) {
    const gone = once(child, "close");
    child.kill("SIGKILL");
    await gone;
  }
  assert.deepEqual(checkStore(folder, key).damaged, []);
});
