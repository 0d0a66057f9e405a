/** A job under way as one sees it on the terminal, also over the death of its coordinator. */
import assert from "node:assert/strict";
import { execFileSync, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { Server, ServerCredentials } from "@grpc/grpc-js";
import stringWidth from "string-width";
import { LimbeckError } from "../../core/errors.ts";
import { isDecision, type ProgressEvent } from "../../core/events.ts";
import type { CoordinatorHandlers } from "../../proto/gen/limbeck/v1/Coordinator.ts";
import { packagePath } from "../../proto/package.ts";
import { statusOf } from "../../proto/status.ts";
import { coordinatorService } from "../../proto/wire.ts";
import { status } from "../cli/terminal/samples.ts";
import { started } from "../coordinator/sessions.ts";
import { childrenOf, distillingRun, recordedEvents, scratchFolder, start } from "./limbeck.ts";
import { Said } from "./said.ts";

/** Begins a sequence, in a regular expression. */
const sequence = "\\u001b\\[";
const enter = "\u001b[?1049h\u001b[?25l";
const leave = "\u001b[?25h\u001b[?1049l";
const hasScript = spawnSync("script", ["--version"]).status === 0;
const needsScript = { skip: !hasScript && "there is no `script` here", timeout: 60_000 };

/** `limbeck top` on a terminal of its own, whose settings are kept before and after. */
function topOnTerminal(t: TestContext, address: string, folder: string) {
  const top = `'${process.execPath}' '${packagePath("dist/cli/main.js")}' top --interval 0.2 --coordinator ${address}`;
  const command = `tty >tty; stty cols 80 rows 24; stty -g >before; sh -c "echo \\$\\$ >pid; exec ${top}"; code=$?; stty -g >after; exit $code`;
  const child = spawn("script", ["-qec", command, "/dev/null"], {
    cwd: folder,
    env: { ...process.env, NO_COLOR: "1" },
    stdio: ["pipe", "pipe", "inherit"],
  });
  t.after(() => void child.kill("SIGKILL"));
  const exit = once(child, "exit").then(([code]) => code as number | null);
  return { said: new Said({ process: child }), press: (key: string) => void child.stdin.write(key), exit };
}

test("status, workers, logs and top tell of a job, over a kill -9 of its coordinator", {
  timeout: 180_000,
}, async (t) => {
  const job = await distillingRun(t, { until: "evaluated", settings: [] });
  const address = job.addressAfter("--coordinator ");
  const ask = (...args: string[]) => start(args, { LIMBECK_COORDINATOR: address }).outcome;

  const now = await ask("status");
  assert.equal(now.code, 0, now.stderr);
  assert.match(now.stdout, /^smoke: running, distil, step [\d,]+ of [\d,]+, \d+\.\d\d %, term \d+$/m);
  assert.match(now.stdout, /^ {2}rate +[\d,]+ samples\/s/m);
  assert.match(now.stdout, /^ {2}evaluation +distil at step \d+: \d+ errors of 500 /m);
  assert.match(now.stdout, /^ {2}workers +2 students: 2 working; 1 teacher: 1 working$/m);
  const [, page] = /^ {2}pages +(http:\S+)/m.exec(now.stdout)!;
  assert.ok((await fetch(`${page}/metrics`)).ok);

  const workers = JSON.parse((await ask("workers", "-o", "json")).stdout) as { worker: string; lanes: number }[];
  assert.deepEqual(
    workers.map(({ worker, lanes }) => [worker, lanes > 0]),
    [
      ["student-1", true],
      ["student-2", true],
      ["teacher-1", false],
    ],
  );
  assert.match((await ask("workers")).stdout, /^worker +role +state .*\n(?:student|teacher)-1 /);

  const some = (await ask("logs", "-n", "3")).stdout.trimEnd().split("\n");
  assert.equal(some.length, 3);
  for (const line of some) assert.match(line, /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d {2}\S/);
  assert.equal((await ask("logs", "--since", "2999-01-01T00:00")).stdout, "");
  const once80 = (await ask("top", "--once")).stdout;
  assert.match(once80, /^loss \d+\.\d+ [▁-█]+ /m);
  assert.doesNotMatch(once80.replaceAll("\n", ""), /\p{Cc}/u);

  const following = start(["logs", "-f", "-o", "json", "--coordinator", address]);
  const followed = new Said(following);
  const scratch = await scratchFolder(t);
  const top = hasScript ? topOnTerminal(t, address, scratch) : null;
  if (!top) t.diagnostic("top is not tried: there is no `script` here, which gives it a terminal");
  await top?.said.until(/q quits/);
  await followed.until(/"stage-started"/);
  process.kill(childrenOf(job.process.pid!)[0]!, "SIGKILL");
  await top?.said.until(/the coordinator does not answer since \d\d:/);
  await followed.until(/"coordinator-recovered"/);
  if (top) {
    const away = top.said.text.length;
    await top.said.until(new RegExp(`^[^]{${away},}samples/s`));
    top.press("s");
    await top.said.until(/by name/);
    top.press("\u001b[B");
    top.press("q");
    assert.equal(await top.exit, 0);
    assert.ok(top.said.text.startsWith(enter));
    assert.ok(top.said.text.trimEnd().endsWith(leave));
    const settings = (name: string) => readFileSync(join(scratch, name), "utf8");
    assert.equal(settings("after"), settings("before"));
  }

  job.process.kill("SIGTERM");
  await job.outcome;
  const { code, stderr } = await following.outcome;
  assert.equal(code, 0, stderr);
  assert.match(stderr, /the coordinator does not answer; waiting/);
  const seen = followed.text
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as ProgressEvent);
  assert.equal(seen.at(-1)!.kind, "job-stopped");
  assert.deepEqual(seen, recordedEvents(job.folder).filter(isDecision), "nothing is missed, nothing comes twice");
});

for (const signal of ["SIGTERM", "SIGINT"] as const) {
  test(`top gives the terminal back on ${signal}`, needsScript, async (t) => {
    const coordinator = await started(t);
    const folder = await scratchFolder(t);
    const { said, exit, press } = topOnTerminal(t, coordinator.address, folder);
    await said.until(/q quits/);
    // What the terminal sends for Ctrl-C is a key while all keys are.
    if (signal === "SIGINT") press("\u0003");
    else process.kill(Number(readFileSync(join(folder, "pid"), "utf8")), signal);
    assert.equal(await exit, 0);
    assert.ok(said.text.trimEnd().endsWith(leave));
    assert.equal(readFileSync(join(folder, "after"), "utf8"), readFileSync(join(folder, "before"), "utf8"));
  });
}

test("top is drawn anew where the terminal changes its size", needsScript, async (t) => {
  const { address } = await started(t);
  const folder = await scratchFolder(t);
  const { said, exit, press } = topOnTerminal(t, address, folder);
  await said.until(/q quits/);
  const anew = new RegExp(`${sequence}2J.*${sequence}12;1H([^\\u001b]+)\\u001b`);
  // One after the other: stty sets them one by one anyway, and each is a change of its own.
  const resized = async (...size: string[]) => {
    const before = said.text.length;
    execFileSync("stty", ["-F", readFileSync(join(folder, "tty"), "utf8").trim(), ...size]);
    await said.until(anew, before);
    const drawn = anew.exec(said.text.slice(before))!;
    // What came before it is the rest of an older frame.
    assert.ok(!said.text.slice(before + drawn.index).includes("\u001b[13;"));
    return stringWidth(drawn[1]!);
  };
  assert.equal(await resized("rows", "12"), 80);
  assert.equal(await resized("cols", "30"), 30);
  press("q");
  assert.equal(await exit, 0);
});

test("top gives the terminal back before it says what it failed of", needsScript, async (t) => {
  let asked = 0;
  const address = await fakeCoordinator(t, {
    Status: (_, answer) =>
      ++asked === 1
        ? answer(null, { status: JSON.stringify(status()) })
        : answer(statusOf(new LimbeckError("corrupt", "the ledger is torn"))),
    Watch: () => {},
  });
  const folder = await scratchFolder(t);
  const { said, exit } = topOnTerminal(t, address, folder);
  assert.equal(await exit, 1);
  assert.ok(said.text.includes("student-10"), "the first look was drawn");
  const [, rest] = said.text.split(leave);
  assert.equal(rest!.trim(), "limbeck: the ledger is torn");
  assert.equal(readFileSync(join(folder, "after"), "utf8"), readFileSync(join(folder, "before"), "utf8"));
});

test("status of a job that failed says why, exit code 1; pages on all addresses are where it was reached", async (t) => {
  const http = { address: "0.0.0.0:7071", paths: ["/state"] };
  const failed = status({ state: "ending", outcome: "failed", why: "the job failed: no disk", http });
  const address = await fakeCoordinator(t, {
    Status: (_, answer) => answer(null, { status: JSON.stringify(failed) }),
  });
  const found = await start(["status", "--coordinator", address]).outcome;
  assert.equal(found.code, 1);
  assert.equal(found.stderr, "");
  assert.match(found.stdout, /^ {2}ended +the job failed: no disk$/m);
  assert.match(found.stdout, /^ {2}pages +http:\/\/127\.0\.0\.1:7071 {2}\/state$/m);
});

async function fakeCoordinator(t: TestContext, handlers: Partial<CoordinatorHandlers>): Promise<string> {
  const server = new Server();
  server.addService(coordinatorService, handlers as CoordinatorHandlers);
  t.after(() => server.forceShutdown());
  const port = await new Promise<number>((resolve, reject) => {
    const bound = (error: Error | null, port: number) => (error ? reject(error) : resolve(port));
    server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), bound);
  });
  return `127.0.0.1:${port}`;
}
