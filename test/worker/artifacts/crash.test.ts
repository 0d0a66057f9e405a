import assert from "node:assert/strict";
import { fork } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { randomStream } from "../../../core/random.ts";
import { latestCheckpoint, loadCheckpoint } from "../../../worker/artifacts/checkpoint.ts";
import { sampleCheckpoint } from "./sample.ts";

// The sources and dist/ alike: .ts there, .js here.
const saver = fileURLToPath(import.meta.url).replace(/crash\.test(\.[jt]s)$/, "saver$1");

test("kill -9 while checkpoints are saved leaves only whole ones, and the last that was reported or a later one", async () => {
  const folder = await mkdtemp(join(tmpdir(), "limbeck-crash-"));
  const root = join(folder, "checkpoints");
  const random = randomStream(7);
  try {
    for (let kill = 0; kill < 8; kill++) {
      const child = fork(saver, [root], { stdio: "inherit" });
      let reported = -1;
      child.on("message", (step) => {
        reported = Number(step);
      });
      const died = once(child, "close").then(() => assert.fail("the saver died by itself"));
      await Promise.race([once(child, "message"), died]);
      await sleep(random() * 60);
      child.kill("SIGKILL");
      await died.catch(() => undefined);

      const { latest, skipped } = await latestCheckpoint(root, "distil");
      assert.deepEqual(skipped, []);
      assert.ok(latest && latest.checkpoint.step >= reported, `${latest?.checkpoint.step}, reported ${reported}`);
      const entries = await readdir(root);
      for (const name of entries) {
        // Also: the sweep left none of a dead writer's hidden folders.
        assert.match(name, /^distil-\d{8}$/);
        const checkpoint = await loadCheckpoint(join(root, name));
        assert.equal(checkpoint.weightsSha256, sampleCheckpoint(checkpoint.step).weightsSha256);
        await rm(join(root, name), { recursive: true });
      }
      assert.ok(entries.length <= 3, `${entries}`);
    }
  } finally {
    await rm(folder, { recursive: true });
  }
});
