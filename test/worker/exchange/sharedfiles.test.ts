import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { SharedFiles } from "../../../worker/exchange/sharedfiles.ts";
import { checksum } from "../../../worker/kernels/checksum.ts";

function scratch(t: { after(done: () => void): void }): string {
  const root = mkdtempSync(join(tmpdir(), "limbeck-test-"));
  t.after(() => rmSync(root, { recursive: true }));
  return root;
}

test("a file is written over in place, and its checksum is that of the payload", async (t) => {
  const files = SharedFiles.create(scratch(t));
  const first = await files.write("partials-0", [Buffer.from("one "), Buffer.from("payload")]);
  assert.equal(readFileSync(first.path, "utf8"), "one payload");
  assert.equal(first.checksum, checksum(Buffer.from("payload"), checksum(Buffer.from("one "), 0)));
  const second = await files.write("partials-0", [Buffer.from("ONE PAYLOAD")]);
  assert.equal(second.path, first.path);
  assert.equal(readFileSync(second.path, "utf8"), "ONE PAYLOAD");
  files.close();
});

test("the folder goes when its process closes it, and a dead process's folder when the next one starts", (t) => {
  const root = scratch(t);
  const own = SharedFiles.create(root);
  const [ownFolder] = readdirSync(root);
  // A process that has ended: its id is free, and its folder has the name it would have had.
  const dead = spawnSync(process.execPath, ["-e", ""]).pid;
  const deadFolder = join(root, ownFolder!.replace(`-${process.pid}-`, `-${dead}-`));
  const foreign = [`limbeck-1-${dead}-of-another-namespace`, "somebody-elses"];
  mkdirSync(deadFolder);
  for (const name of foreign) mkdirSync(join(root, name));

  const next = SharedFiles.create(root);
  assert.ok(!existsSync(deadFolder));
  assert.ok(existsSync(join(root, ownFolder!)), "a living process keeps its folder");
  own.close();
  next.close();
  assert.deepEqual(readdirSync(root).sort(), foreign.sort());
});
