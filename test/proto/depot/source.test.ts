/** What is put of a file that is being written. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { appendFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { sourceOf } from "../../../proto/depot/source.ts";
import { scratchFolder } from "../../e2e/limbeck.ts";

test("a file that grows after it was hashed gives what was hashed, in pieces of any size", async (t) => {
  const file = join(await scratchFolder(t), "events.jsonl");
  const text = "one line\nanother\n";
  await writeFile(file, text);
  const source = await sourceOf({ file }, t.signal);
  await appendFile(file, "and one that came later\n");
  for (const pieceBytes of [1, 4, text.length, 1_000]) {
    const pieces: Uint8Array[] = [];
    for await (const piece of source.pieces(pieceBytes)) pieces.push(piece);
    assert.equal(Buffer.concat(pieces).toString(), text, `${pieceBytes}`);
    assert.ok(pieces.slice(0, -1).every(({ length }) => length === pieceBytes));
  }
  assert.deepEqual([source.bytes, source.sha256], [text.length, createHash("sha256").update(text).digest("hex")]);
});
