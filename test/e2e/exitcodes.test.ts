/** With which codes coordinators of one job, and workers, end: whoever started them goes by it (a Kubernetes Job). */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { type TestContext, test } from "node:test";
import { packagePath } from "../../proto/package.ts";
import { freeAddress } from "../freeport.ts";
import { lasting, limbeck, type Running, scratchFolder, start } from "./limbeck.ts";

const bounded = { timeout: 180_000 };
const codes = ["--failed-code=3", "--leave-code=143"];

interface Begun extends Running {
  readonly address: string;
  /** Resolves when its log has an event of that name. */
  logged(event: string): Promise<void>;
}

/** A coordinator of the smoke job, on an address that the next one of it has, too. */
async function coordinator(t: TestContext, folder: string, address: string, ...args: string[]): Promise<Begun> {
  const job = packagePath("examples/smoke.yaml");
  const places = [`--state=${folder}`, `--listen=${address}`, "--http=127.0.0.1:0"];
  const small = ["--set=workers.students=1", "--set=softTargets.cache=false", "--set=baseline=false"];
  const running = start(["coordinator", job, ...places, ...codes, ...small, "--output=json", ...args], {}, lasting);
  t.after(() => void running.process.kill("SIGKILL"));
  const seen = new Set<string>();
  const heard = new Map<string, () => void>();
  createInterface({ input: running.process.stdout! }).on("line", (line) => {
    const { event } = JSON.parse(line) as { event: string };
    seen.add(event);
    heard.get(event)?.();
  });
  const logged = async (event: string) => {
    if (!seen.has(event)) await new Promise<void>((resolve) => heard.set(event, resolve));
  };
  return { ...running, address, logged };
}

function workers(t: TestContext, address: string, ...args: string[]): Running[] {
  return ["student", "teacher"].map((role) => {
    const who = [`--coordinator=${address}`, `--role=${role}`, `--name=${role}`];
    const running = start(["worker", ...who, ...args], {}, lasting);
    t.after(() => void running.process.kill("SIGTERM"));
    return running;
  });
}

test("a job that failed, and one that cannot be read, have codes of their own", bounded, async (t) => {
  const folder = await scratchFolder(t);
  const address = await freeAddress();
  const failing = await coordinator(t, join(folder, "failed"), address, "--set=dataset.path=/nowhere");
  workers(t, address);
  assert.equal((await failing.outcome).code, 3, (await failing.outcome).stderr);
  writeFileSync(join(folder, "job.yaml"), "name: [");
  const unreadable = await limbeck("coordinator", join(folder, "job.yaml"), `--state=${folder}`, ...codes);
  assert.equal(unreadable.code, 2, unreadable.stderr);
});

test("a coordinator that leaves keeps its workers, and the next one goes on with them", bounded, async (t) => {
  const folder = await scratchFolder(t);
  const address = await freeAddress();
  const job = [`--depot=file://${folder}/depot`, "--set=distil.epochs=40"];
  const first = await coordinator(t, join(folder, "first"), address, ...job);
  const joined = workers(t, address, "--leave-code=143", "--patience=60s", "--alone-code=3");
  await first.logged("checkpointed");
  first.process.kill("SIGTERM");
  assert.equal((await first.outcome).code, 143, (await first.outcome).stderr);
  const second = await coordinator(t, join(folder, "second"), address, ...job);
  assert.equal((await second.outcome).code, 0, (await second.outcome).stderr);
  for (const { outcome } of joined) assert.equal((await outcome).code, 0, (await outcome).stderr);
  assert.match((await second.outcome).stdout, /the job goes on from/);
});

test("a worker that finds no coordinator says so with a code, also one that is supervised", bounded, async () => {
  const alone = ["--coordinator=127.0.0.1:1", "--patience=1s", "--alone-code=3"];
  const ends = await Promise.all([limbeck("worker", ...alone), limbeck("worker", ...alone, "--devices=cpu")]);
  for (const { code, stderr } of ends) assert.equal(code, 3, stderr);
});

test("a coordinator that another has succeeded does not say that the job has failed", bounded, async (t) => {
  const state = join(await scratchFolder(t), "state");
  const running = await coordinator(t, state, await freeAddress());
  await running.logged("listening");
  writeFileSync(join(state, "journal.lock"), "elsewhere 1");
  const { code, stderr } = await running.outcome;
  assert.equal(code, 1, stderr);
  assert.match(stderr, /the journal in .* is no longer this process's: .* is another process's now/);
});

test("a code that says something else already is not taken for that of a worker that is alone", bounded, async () => {
  for (const code of ["1", "75"]) {
    const refused = await limbeck("worker", "--coordinator=127.0.0.1:1", `--alone-code=${code}`, "--devices=cpu");
    assert.equal(refused.code, 2, refused.stderr);
    assert.match(refused.stderr, new RegExp(`^limbeck: --alone-code ${code} is the code of .*: choose another`));
  }
});
