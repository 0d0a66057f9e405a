/** What ends a job from outside: Ctrl-C, SIGTERM, and deaths of its processes. Nothing is left running or half-written. */
import assert from "node:assert/strict";
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { assertGone, endlessRun, recordedEvents, scratchFolder, start } from "./limbeck.ts";

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  test(`${signal} stops the job in order`, async (t) => {
    const run = await endlessRun(t);
    run.process.kill(signal);
    const { code, stderr } = await run.outcome;
    assert.equal(code, 1, stderr);
    assert.match(stderr, new RegExp(`stopped before the end: ${signal}`));
    assert.doesNotMatch(stderr, /^\s+at |did not end/m, "no stack trace, and all ended by themselves");
    const last = recordedEvents(run.folder).at(-1)!;
    assert.equal(last.kind, "job-stopped");
    assert.ok(!existsSync(join(run.folder, "report.json")));
    await assertGone(run.children);
  });
}

test("a second SIGINT kills", async (t) => {
  const run = await endlessRun(t);
  // A coordinator that cannot hear the first one.
  process.kill(run.children[0]!, "SIGSTOP");
  run.process.kill("SIGINT");
  run.process.stderr!.once("data", () => run.process.kill("SIGINT"));
  const { code, stderr } = await run.outcome;
  assert.equal(code, 1, stderr);
  assert.match(stderr, /killed by a second SIGINT/);
  await assertGone(run.children);
});

test("a worker that is killed is named, with what killed it, and the others leave", async (t) => {
  const run = await endlessRun(t);
  process.kill(run.workers.get("student-2")!, "SIGKILL");
  const { code, stderr } = await run.outcome;
  assert.equal(code, 1, stderr);
  assert.match(stderr, /student-2 is lost: .*killed by SIGKILL/);
  assert.doesNotMatch(stderr, /did not end/);
  assert.equal(recordedEvents(run.folder).at(-1)!.kind, "job-failed");
  assert.ok(!existsSync(join(run.folder, "report.json")));
  await assertGone(run.children);
});

test("a coordinator that is killed is named, and the workers leave", async (t) => {
  const run = await endlessRun(t);
  process.kill(run.children[0]!, "SIGKILL");
  const { code, stderr } = await run.outcome;
  assert.equal(code, 1, stderr);
  assert.match(stderr, /the coordinator was killed by SIGKILL/);
  assert.doesNotMatch(stderr, /did not end/);
  await assertGone(run.children);
});

test("when the command itself is killed, its processes stop", async (t) => {
  const run = await endlessRun(t);
  run.process.kill("SIGKILL");
  await run.outcome;
  await assertGone(run.children);
  assert.ok(!existsSync(join(run.folder, "report.json")));
});

test("a worker that dies before it joins ends the job with its last words", async (t) => {
  const folder = await scratchFolder(t);
  const crash = join(folder, "crash.cjs");
  const script = `if (process.argv.includes("student-2")) { process.stderr.write("the dog ate it\\n"); process.exit(7); }`;
  writeFileSync(crash, script);
  const out = join(folder, "run");
  const run = start(["run", "examples/smoke.yaml", "--out", out], { NODE_OPTIONS: `--require ${crash}` });
  const { code, stderr } = await run.outcome;
  assert.equal(code, 1);
  assert.match(stderr, /student-2 ended with code 7: the dog ate it/);
  assert.match(String(Reflect.get(recordedEvents(out).at(-1)!, "why")), /student-2 ended with code 7/);
  assert.ok(!existsSync(join(out, "report.json")));
});
