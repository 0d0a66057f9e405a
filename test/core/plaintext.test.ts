/** What others wrote is shown, and never obeyed. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { ProgressEventBody } from "../../core/events.ts";
import { describe, eventText } from "../../core/lines.ts";
import { plain, plainLines } from "../../core/plaintext.ts";
import { isProcessName } from "../../core/processname.ts";

const hostile = "a\u001b[2Jb\r\nc\u202ed\u2028e\u009bf\u0007";

test("what came over the wire is shown on one line and never obeyed", () => {
  assert.equal(plain(hostile), "a [2Jb c d e f ");
  assert.equal(plainLines("a\u001bb\nc\rd\n"), "a b\nc d\n");
});

test("the lines of events are plain, whoever's words are in them", () => {
  const finding = { check: "pairing", severity: "warning", message: hostile, evidence: {} } as const;
  const bodies: ProgressEventBody[] = [
    { kind: "worker-warned", worker: hostile, why: hostile },
    { kind: "worker-left", worker: "w", why: hostile },
    { kind: "job-paused", why: hostile },
    { kind: "job-stopped", why: hostile },
    { kind: "job-failed", code: "internal", message: hostile },
    { kind: "diagnosed", worker: "w", stage: "teach", findings: [finding] },
  ];
  for (const body of bodies) {
    const event = { ...body, atMs: 0 };
    for (const text of [describe(event) ?? "", eventText(event)]) {
      // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
      assert.doesNotMatch(text, /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u2028\u202e]/, body.kind);
    }
    if (body.kind === "worker-warned")
      assert.equal(eventText(event).split("\n").length, 1, "it has no line of its own");
  }
});

test("names stand in lines, tables, labels and file names", () => {
  for (const name of [
    "w",
    "student-1",
    "ml-gpu0-1234",
    "host.example:7070",
    "worker/7",
    "Jürgen@lab",
    "a".repeat(128),
  ]) {
    assert.ok(isProcessName(name), name);
  }
  for (const name of [
    "",
    "a b",
    "a\nb",
    "\u001b[2J",
    "a\u202eb",
    '"',
    "<b>",
    "-w",
    "a".repeat(129),
    "a\u0000",
    "../a",
  ]) {
    assert.ok(!isProcessName(name), JSON.stringify(name));
  }
});
