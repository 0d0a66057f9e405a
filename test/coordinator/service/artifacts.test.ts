/** A run folder lies where workers write: nothing that they put there leads out of it. */
import assert from "node:assert/strict";
import { mkdir, rename, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { inFolder } from "../../../coordinator/service/artifacts.ts";
import { textOf } from "../../../coordinator/service/results.ts";
import { bounded, scratch } from "../sessions.ts";

test(
  "a file that is changed for a link, and back, while it is opened again and again shows nothing from outside",
  bounded,
  async (t) => {
    const folder = await scratch(t);
    const run = join(folder, "run");
    await mkdir(run);
    await writeFile(join(folder, "secret"), "secret");
    const place = inFolder(run);
    const put = async (make: (path: string) => Promise<void>) => {
      await make(join(run, "new"));
      await rename(join(run, "new"), join(run, "log"));
    };
    let isOver = false;
    const changing = (async () => {
      while (!isOver) {
        await put((path) => writeFile(path, "own"));
        await put((path) => symlink(join(folder, "secret"), path));
      }
    })();
    const seen = new Map<string, number>();
    for (let round = 0; round < 2_000; round++) {
      const opened = await place.open("log");
      const text = opened ? await textOf(opened) : "none";
      seen.set(text, (seen.get(text) ?? 0) + 1);
    }
    isOver = true;
    await changing;
    // Written, but not with its text yet, it is empty.
    assert.ok(
      [...seen.keys()].every((text) => ["own", "", "none"].includes(text)),
      JSON.stringify([...seen]),
    );
    assert.ok(seen.has("own") && seen.has("none"), "both were met");
  },
);

test("what is no file, is hidden, or lies elsewhere is not there", bounded, async (t) => {
  const folder = await scratch(t);
  await mkdir(join(folder, "run", "models"), { recursive: true });
  await writeFile(join(folder, "secret"), "secret");
  await writeFile(join(folder, "run", "journal.jsonl"), "{}");
  await writeFile(join(folder, "run", "models", "weights"), "w");
  await symlink(folder, join(folder, "run", "up"));
  const place = inFolder(join(folder, "run"));
  for (const path of [
    "",
    ".",
    "models",
    "../secret",
    "models/../../secret",
    "up/secret",
    "journal.jsonl",
    "nowhere",
    "a\0b",
  ])
    assert.equal(await place.open(path), null, path);
  assert.equal(await textOf((await place.open("models/weights"))!), "w");
  assert.deepEqual(await place.list(), [{ path: "models/weights", bytes: 1 }]);
});
