import assert from "node:assert/strict";
import { execFile, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdir, mkdtemp, readdir, readFile, rm, utimes, writeFile } from "node:fs/promises";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { promisify } from "node:util";
import { LimbeckError } from "../../../core/errors.ts";
import { removeFolderWhole, writeFolderWhole } from "../../../worker/artifacts/durable.ts";
import { sweepLeftovers } from "../../../worker/artifacts/leftovers.ts";

let root = "";
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "limbeck-durable-"));
});
afterEach(async () => rm(root, { recursive: true }));

test("the files of a folder are written with the folders above it, and described", async () => {
  const folder = join(root, "a/b/student");
  const shared = new Uint8Array(new SharedArrayBuffer(9 << 20)).fill(7);
  const written = await writeFolderWhole(folder, "model.json", (write) => write("model.json", shared));
  const content = await readFile(join(folder, "model.json"));
  assert.deepEqual(written, { bytes: 9 << 20, sha256: createHash("sha256").update(content).digest("hex") });
  assert.ok(content.equals(Buffer.from(shared)));
});

test("a folder appears only when it is whole, and replaces the one before it", async () => {
  const folder = join(root, "student");
  for (const round of ["one", "two"]) {
    await writeFolderWhole(folder, "model.json", async (write) => {
      await write(`${round}.bin`, round);
      const inPlace = await readdir(folder).catch(() => []);
      assert.deepEqual(inPlace, round === "one" ? [] : ["model.json", "one.bin"]);
      await write("model.json", "{}");
    });
  }
  assert.deepEqual((await readdir(folder)).sort(), ["model.json", "two.bin"]);
  assert.deepEqual(await readdir(root), ["student"]);
});

test("a folder that fails half-way leaves the one before it untouched", async () => {
  const folder = join(root, "student");
  await writeFolderWhole(folder, "model.json", (write) => write("model.json", "1"));
  const failing = writeFolderWhole(folder, "model.json", async (write) => {
    await write("model.json", "2");
    throw new LimbeckError("diverged", "the loss is not finite");
  });
  await assert.rejects(failing, { code: "diverged" });
  assert.equal(await readFile(join(folder, "model.json"), "utf8"), "1");
  assert.deepEqual(await readdir(root), ["student"]);
});

test("a folder that is not ours is not replaced", async () => {
  await mkdir(join(root, "photos"));
  await writeFile(join(root, "photos/cat.png"), "cat");
  const replacing = writeFolderWhole(join(root, "photos"), "model.json", (write) => write("model.json", "{}"));
  await assert.rejects(replacing, { code: "unavailable", message: /photos exists and has no model\.json/ });
  assert.deepEqual(await readdir(root), ["photos"]);
  assert.deepEqual(await readdir(join(root, "photos")), ["cat.png"]);
});

test("a place that cannot be written is an error that names it", async () => {
  await writeFile(join(root, "file"), "");
  const path = join(root, "file/student");
  const write = writeFolderWhole(path, "model.json", (into) => into("model.json", "x"));
  await assert.rejects(write, {
    name: "LimbeckError",
    code: "unavailable",
    message: new RegExp(`${path} cannot be written: a part of its path is a file`),
  });
});

test("a full disk is a clear error and leaves nothing", async (t) => {
  const disk = join(root, "disk");
  await mkdir(disk);
  if (spawnSync("mount", ["-t", "tmpfs", "-o", "size=256k", "tmpfs", disk]).status !== 0) {
    return t.skip("this user may not mount a small tmpfs");
  }
  try {
    const message = (path: string) => `${path} cannot be written: no space is left on its disk`;
    const large = new Uint8Array(1 << 20);
    const folder = join(disk, "student");
    await writeFolderWhole(folder, "model.json", (write) => write("model.json", "before"));
    const writing = writeFolderWhole(folder, "model.json", async (write) => {
      await write("a.bin", "fits");
      await write("b.bin", large);
      await write("model.json", "{}");
    });
    await assert.rejects(writing, { name: "LimbeckError", code: "unavailable", message: message(folder) });
    assert.deepEqual(await readdir(disk), ["student"]);
    assert.equal(await readFile(join(folder, "model.json"), "utf8"), "before");
  } finally {
    spawnSync("umount", [disk]);
  }
});

test("what dead writers left is removed or put back; what living ones hold stays", async () => {
  const child = promisify(execFile)(process.execPath, ["-e", ""]);
  const dead = child.child.pid!;
  await child;
  const name = (kind: string, of: string, host: string, pid: number) => `.${of}.${kind}-${host}-${pid}-0badcafe`;
  const here = hostname();
  const removed = [
    name("tmp", "a", here, dead),
    name("tmp", "ours", here, process.pid),
    name("old", "present", here, dead),
    name("tmp", "abandoned", "elsewhere", 1),
  ];
  const kept = ["present", ".unrelated", name("tmp", "b", here, process.ppid), name("tmp", "remote", "elsewhere", 1)];
  for (const entry of [...removed, ...kept, name("old", "lost", here, dead)]) await mkdir(join(root, entry));
  await writeFile(join(root, name("old", "lost", here, dead), "manifest.json"), "whole");
  await utimes(join(root, removed[3]!), 0, 0);

  await sweepLeftovers(root);
  assert.deepEqual((await readdir(root)).sort(), [...kept, "lost"].sort());
  assert.equal(await readFile(join(root, "lost/manifest.json"), "utf8"), "whole");
});

test("a removed folder is gone", async () => {
  await mkdir(join(root, "old"));
  await writeFile(join(root, "old/x"), "x");
  await removeFolderWhole(join(root, "old"));
  assert.deepEqual(await readdir(root), []);
});
