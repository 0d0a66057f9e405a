/** A log for people obeys nobody: what others wrote is in it, and a terminal shows it. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";
import { packagePath } from "../../../proto/package.ts";

/** What a process writes that logs so. */
function logged(output: "text" | "json", said: string): string {
  const program = `
    import { openLog } from ${JSON.stringify(packagePath("dist/proto/telemetry/log.js"))};
    const log = openLog("c1", { output }).child({ job: "smoke-1" });
    log.info({ event: "cancelled", by: said, step: 7 }, said);
    log.warn(said);`;
  const values = `const [output, said] = ${JSON.stringify([output, said])};`;
  const { stdout, stderr, status } = spawnSync(process.execPath, ["--input-type=module", "-e", values + program], {
    encoding: "utf8",
  });
  assert.equal(status, 0, stderr);
  return stdout;
}

test("text that others wrote is on one line, without what a terminal obeys", () => {
  const text = logged("text", "why\u001b[2J not\r\n\u009b31mINFO: done\u202e\u0007");
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  assert.doesNotMatch(text, /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u2028\u202e]/);
  assert.equal(text.trim().split("\n").length, 2, text);
  assert.match(text, /why \[2J not 31mINFO: done/);
  assert.match(text, /"step":7/);
});

test("as JSON it is what was said", () => {
  const said = "why\u001b[2J not\nso";
  const [first] = logged("json", said).split("\n");
  const { why, by, job, name, step } = JSON.parse(first!);
  assert.deepEqual([why, by, job, name, step], [said, said, "smoke-1", "c1", 7]);
});
