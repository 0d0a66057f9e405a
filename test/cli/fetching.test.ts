/** Fetching a job's files: whole or not at all, nothing outside the folder, and what is there is not fetched again. */
import assert from "node:assert/strict";
import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { fetchAll } from "../../cli/fetching.ts";
import { LimbeckError } from "../../core/errors.ts";
import type { Jobs } from "../../proto/jobs.ts";
import { scratchFolder } from "../e2e/limbeck.ts";

type Piece = string | LimbeckError;

/** Each fetch of a path takes the next of its answers. */
function serving(answers: Readonly<Record<string, readonly (readonly Piece[])[]>>) {
  const asked: string[] = [];
  const fetch = async function* (_job: string, path: string) {
    const turn = asked.filter((each) => each === path).length;
    asked.push(path);
    for (const piece of answers[path]?.[turn] ?? []) {
      if (piece instanceof LimbeckError) throw piece;
      yield Buffer.from(piece);
    }
  };
  return { asked, jobs: { fetch } as unknown as Jobs };
}

const broken = new LimbeckError("unavailable", "the leader has gone");

async function folderOf(t: TestContext) {
  const scratch = await scratchFolder(t);
  return { scratch, folder: join(scratch, "out") };
}

function filesIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((each) => !each.isDirectory())
    .map((each) => join(each.parentPath, each.name).slice(folder.length + 1))
    .sort();
}

test("files are written with their folders; what is there in its size is kept, what is not is fetched anew", async (t) => {
  const { folder } = await folderOf(t);
  const { jobs, asked } = serving({ "a/b/model.json": [["{", "}"]], "report.json": [["new!"]], "old.bin": [["xx"]] });
  mkdirSync(folder);
  writeFileSync(join(folder, "report.json"), "old");
  writeFileSync(join(folder, "old.bin"), "12");
  const artifacts = [
    { path: "a/b/model.json", bytes: 2 },
    { path: "report.json", bytes: 4 },
    { path: "old.bin", bytes: 2 },
  ];
  const found = await fetchAll(jobs, "a-0001", { artifacts, folder });
  assert.deepEqual(found, { fetched: ["a/b/model.json", "report.json"], kept: ["old.bin"], bytes: 6 });
  assert.deepEqual(asked, ["a/b/model.json", "report.json"]);
  assert.equal(readFileSync(join(folder, "a/b/model.json"), "utf8"), "{}");
  assert.equal(readFileSync(join(folder, "report.json"), "utf8"), "new!");
  assert.deepEqual(filesIn(folder), ["a/b/model.json", "old.bin", "report.json"]);
});

test("a file that breaks off is begun again, and is never seen in part", async (t) => {
  const { folder } = await folderOf(t);
  const { jobs, asked } = serving({
    model: [
      ["123", broken],
      ["123", "456"],
    ],
  });
  const { bytes } = await fetchAll(jobs, "a-0001", { artifacts: [{ path: "model", bytes: 6 }], folder });
  assert.equal(bytes, 6);
  assert.equal(asked.length, 2);
  assert.equal(readFileSync(join(folder, "model"), "utf8"), "123456");
});

test("a file that ends too early, or is refused, leaves nothing", async (t) => {
  const { folder } = await folderOf(t);
  const missing = new LimbeckError("usage", "no file of this job");
  const { jobs } = serving({ short: [["123"]], gone: [["1", missing]] });
  const fetching = (path: string) => fetchAll(jobs, "a-0001", { artifacts: [{ path, bytes: 6 }], folder });
  await assert.rejects(fetching("short"), { code: "corrupt", message: /^short has 3 bytes, and 6 are listed/ });
  await assert.rejects(fetching("gone"), missing);
  assert.deepEqual(filesIn(folder), []);
});

test("a path that leads out of the folder is refused before anything is fetched", async (t) => {
  const { folder, scratch } = await folderOf(t);
  for (const path of ["../evil", "/etc/evil", "a/../../evil", "..", ".", "", "a/", "a\0b"]) {
    const { jobs, asked } = serving({ fine: [["1"]] });
    const artifacts = [
      { path: "fine", bytes: 1 },
      { path, bytes: 1 },
    ];
    await assert.rejects(fetchAll(jobs, "a-0001", { artifacts, folder }), { code: "corrupt", message: /leads out of/ });
    assert.deepEqual(asked, []);
  }
  assert.deepEqual(filesIn(scratch), []);
});

test("a link in the folder is not followed out of it", async (t) => {
  const { folder, scratch } = await folderOf(t);
  mkdirSync(folder);
  mkdirSync(join(scratch, "elsewhere"));
  symlinkSync(join(scratch, "elsewhere"), join(folder, "student"));
  const { jobs } = serving({ "student/model.json": [["1"]] });
  const artifacts = [{ path: "student/model.json", bytes: 1 }];
  await assert.rejects(fetchAll(jobs, "a-0001", { artifacts, folder }), {
    code: "corrupt",
    message: /by a link there/,
  });
  assert.deepEqual(filesIn(join(scratch, "elsewhere")), []);
});
