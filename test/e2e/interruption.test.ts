/** What ends a job from outside: Ctrl-C, SIGTERM, and deaths of its processes. Nothing is left running or half-written. */
import assert from "node:assert/strict";
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { assertGone, type EndlessRun, endlessRun, recordedEvents, scratchFolder, start } from "./limbeck.ts";

/** Tells the command to stop, and what comes of it. @returns what it said */
async function stopped(run: EndlessRun, signal: "SIGINT" | "SIGTERM"): Promise<string> {
  run.process.kill(signal);
  const { code, stderr } = await run.outcome;
  assert.equal(code, 1, stderr);
  assert.match(stderr, new RegExp(`stopped before the end: ${signal}`));
  assert.doesNotMatch(stderr, /^\s+at |did not end/m, "no stack trace, and all ended by themselves");
  const last = recordedEvents(run.folder).at(-1)!;
  assert.equal(last.kind, "job-stopped");
  assert.ok(!existsSync(join(run.folder, "report.json")));
  await assertGone(run.children);
  return stderr;
}

test("a second SIGINT kills", async (t) => {
  const run = await endlessRun(t, "--students", "1");
  // A coordinator that cannot hear the first one.
  process.kill(run.children[0]!, "SIGSTOP");
  run.process.kill("SIGINT");
  run.process.stderr!.once("data", () => run.process.kill("SIGINT"));
  const { code, stderr } = await run.outcome;
  assert.equal(code, 1, stderr);
  assert.match(stderr, /killed by a second SIGINT/);
  await assertGone(run.children);
});

test("a worker that is killed is named, with what killed it, and comes back under its name; SIGTERM stops the job in order", async (t) => {
  const run = await endlessRun(t);
  const killed = run.workers.get("student-2")!;
  process.kill(killed, "SIGKILL");
  const lost = await run.event((event) => event.kind === "worker-lost");
  assert.equal(lost.kind === "worker-lost" && lost.worker, "student-2");
  const back = await run.event((event) => event.kind === "worker-joined" && event.worker === "student-2");
  assert.notEqual(back.kind === "worker-joined" && back.pid, killed);
  await run.event((event) => event.kind === "stepped");
  await assertGone([killed]);
  const said = await stopped(run, "SIGTERM");
  assert.match(said, /student-2 was killed by SIGKILL\n {2}it is started again in 0\.[12] s/);
});

test("a coordinator that is killed comes back on the same ports, and its feed goes on with the next event; SIGINT stops the job in order", async (t) => {
  const run = await endlessRun(t, "--students", "1");
  const before = recordedEvents(run.folder).length;
  process.kill(run.children[0]!, "SIGKILL");
  await run.event((event) => event.kind === "worker-joined" || event.kind === "term-opened");
  await run.event((event) => event.kind === "stepped");
  await run.event((event) => event.kind === "stepped");
  const said = await stopped(run, "SIGINT");
  assert.match(said, /the coordinator was killed by SIGKILL\n {2}it is started again/);
  const recorded = recordedEvents(run.folder);
  assert.ok(recorded.length > before);
  assert.deepEqual(run.seen(), recorded.slice(0, run.seen().length), "each event is shown once");
});

test("when the command itself is killed, its processes stop", async (t) => {
  const run = await endlessRun(t, "--students", "1");
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
