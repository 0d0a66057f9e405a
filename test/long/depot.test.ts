/** Workers and coordinators that share nothing but a bucket: everything dies, folders and all, and the job ends with the same bits. */
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { type TestContext, test } from "node:test";
import type { ProgressEvent } from "../../core/events.ts";
import type { Report } from "../../core/report.ts";
import { packagePath } from "../../proto/package.ts";
import { processEnvironment } from "../../worker/engine/environment.ts";
import { finishedRun, recordedEvents, scratchFolder } from "../e2e/limbeck.ts";
import { startedService } from "../e2e/service.ts";
import { startNats } from "../natsserver.ts";
import { type S3Server, s3Server, whenPut } from "../s3server.ts";

const smoke = "examples/smoke.yaml";
// WebAssembly needs nothing of the cache folder, of which each worker has its own.
const settings = ["baseline=false", "engine=wasm", "softTargets.cache=false", "checkpoint.everySteps=10"];
const set = settings.flatMap((each) => ["--set", each]);
const manifest = /checkpoints\/distil-\d+\/manifest\.json/;

/**
 * Resolves when the depot has a job that is under way: two checkpoints of its last stage, and then the journal. Called before
 * the job begins. It refuses the student's models meanwhile, so the job cannot be over by then, however slow the copies are.
 */
async function underWay(server: S3Server): Promise<void> {
  server.refuse = ({ what }) => (/^PUT \S+\/student\//.test(what) ? "SlowDown" : null);
  for (const key of [manifest, manifest, /journal\.jsonl/]) await whenPut(server, key);
}

class Life {
  readonly state: string;
  readonly said: { event?: string; msg?: string; address?: string }[] = [];
  readonly #server: S3Server;
  readonly #processes: ChildProcess[] = [];
  readonly #scratch: string;

  constructor(server: S3Server, scratch: string) {
    this.#server = server;
    this.#scratch = scratch;
    this.state = join(scratch, "state");
    mkdirSync(scratch);
  }

  /** A coordinator with an empty state folder, and workers with empty folders of their own. */
  async begin(t: TestContext): Promise<this> {
    t.after(() => this.kill());
    const listening = ["--listen", "127.0.0.1:0", "--http", "127.0.0.1:0"];
    const depot = ["--depot", `s3://${this.#server.bucket}/jobs`];
    const args = ["coordinator", smoke, "--state", this.state, ...listening, ...depot, ...set, "-o", "json"];
    const coordinator = this.#start("coordinator", args);
    const address = await new Promise<string>((resolve, reject) => {
      createInterface(coordinator.stdout!).on("line", (line) => {
        const said = JSON.parse(line) as Life["said"][number];
        this.said.push(said);
        if (said.event === "listening") resolve(said.address!);
      });
      coordinator.once("exit", (code) => reject(new Error(`the coordinator ended, exit ${code}`)));
    });
    for (const [name, role] of [
      ["student-1", "student"],
      ["student-2", "student"],
      ["teacher-1", "teacher"],
    ] as const)
      this.#start(name, ["worker", "--coordinator", address, "--name", name, "--role", role, "-o", "json"]);
    return this;
  }

  #start(name: string, args: readonly string[]): ChildProcess {
    const env = {
      ...process.env,
      ...processEnvironment(),
      ...this.#server.env,
      LIMBECK_CACHE: join(this.#scratch, name),
    };
    const child = spawn(process.execPath, [packagePath("dist/cli/main.js"), ...args], {
      cwd: packagePath("."),
      env,
      stdio: ["ignore", "pipe", "inherit"],
    });
    child.stdout!.resume();
    this.#processes.push(child);
    return child;
  }

  /** @returns its exit code */
  async ended(): Promise<number> {
    const [coordinator] = this.#processes;
    if (coordinator!.exitCode !== null) return coordinator!.exitCode;
    return (await once(coordinator!, "exit"))[0] as number;
  }

  async kill(): Promise<void> {
    for (const child of this.#processes) {
      if (child.exitCode !== null || child.signalCode !== null) continue;
      child.kill("SIGKILL");
      await once(child, "exit");
    }
  }

  get report(): Report {
    return JSON.parse(readFileSync(join(this.state, "report.json"), "utf8")) as Report;
  }
}

for (const { what, without } of [
  { what: "from checkpoints and the journal's copy", without: /^$/ },
  { what: "from the checkpoints alone", without: /journal\.jsonl|events\.jsonl|job\.yaml/ },
]) {
  test(`all processes and all folders are lost: the job ends with the same bits, ${what}`, async (t) => {
    const whole = await finishedRun(t, smoke, ...set);
    const scratch = await scratchFolder(t);
    const server = await s3Server({ pageSize: 100 });
    t.after(() => server.close());
    const isUnderWay = underWay(server);
    const first = await new Life(server, join(scratch, "first")).begin(t);
    await isUnderWay;
    await first.kill();
    server.refuse = () => null;
    assert.ok(!existsSync(join(first.state, "checkpoints")), "workers write nothing into the coordinator's folder");
    rmSync(join(scratch, "first"), { recursive: true });
    for (const key of [...server.objects.keys()])
      if (without.test(key) && without.source !== "^$") server.objects.delete(key);

    const second = await new Life(server, join(scratch, "second")).begin(t);
    assert.equal(await second.ended(), 0);
    assert.equal(second.report.student.weightsSha256, whole.report.student.weightsSha256);
    assert.equal(second.report.teacher.weightsSha256, whole.report.teacher.weightsSha256);
    assert.equal(second.report.ledger.duplicated + second.report.ledger.missing, 0);
    const events = recordedEvents(second.state);
    const restored = events.flatMap((event) =>
      event.kind === "restored" && event.stage === "distil" ? [event.step] : [],
    );
    assert.ok(restored.length > 0 && restored.every((step) => step > 0), "distilling is gone on with, not begun anew");
    const begun = events.filter((event: ProgressEvent) => event.kind === "stage-started" && event.stage === "teach");
    assert.ok(begun.length > 0);
    const terms = events.flatMap((event) => (event.kind === "term-opened" ? [event.term] : []));
    assert.deepEqual(
      [...new Set(terms)].sort((one, other) => one - other),
      terms,
      "no term comes twice (L3)",
    );
    const [folder] = [...new Set([...server.objects.keys()].map((key) => key.split("/").slice(0, 2).join("/")))];
    for (const name of ["report.json", "report.html", "events.jsonl", "student/model.json", "teacher/model.json"])
      assert.ok(server.objects.has(`${folder}/${name}`), `${name} is in the depot`);
    const secret = server.env["AWS_SECRET_ACCESS_KEY"]!;
    for (const text of [JSON.stringify(second.said), ...readdirSync(second.state).map(textOf(second.state))])
      assert.ok(!text.includes(secret));
  });
}

test("a service's NATS has lost all, and so have all folders: a job that is submitted again goes on from the depot, to the same bits", async (t) => {
  const whole = await finishedRun(t, smoke, ...set);
  const scratch = await scratchFolder(t);
  const server = await s3Server({ pageSize: 100 });
  t.after(() => server.close());
  const life = async (name: string) => {
    Object.assign(process.env, server.env, { LIMBECK_CACHE: join(scratch, name) });
    const nats = await startNats(t);
    return { nats, ...(await startedService(t, 3, "--nats", nats.url, "--depot", `s3://${server.bucket}/jobs`)) };
  };
  const first = await life("first");
  const isUnderWay = underWay(server);
  const submitted = await first.ask("submit", smoke, ...set, "--no-wait");
  assert.equal(submitted.code, 0, submitted.stderr);
  await isUnderWay;
  await first.kill();
  await first.nats.kill();
  server.refuse = () => null;

  const second = await life("second");
  const done = await second.ask("submit", smoke, ...set);
  assert.equal(done.code, 0, done.stderr);
  const folder = join(scratch, "fetched");
  const fetched = await second.ask("artifacts", "smoke", "--fetch", folder);
  assert.equal(fetched.code, 0, fetched.stderr);
  const report = JSON.parse(readFileSync(join(folder, "report.json"), "utf8")) as Report;
  assert.equal(report.student.weightsSha256, whole.report.student.weightsSha256);
  assert.equal(report.ledger.duplicated + report.ledger.missing, 0);
  const events = recordedEvents(folder);
  const steps = events.flatMap((event) => (event.kind === "restored" && event.stage === "distil" ? [event.step] : []));
  assert.ok(steps.length > 0 && steps.every((step) => step > 0), "distilling is gone on with, not begun anew");
  const terms = events.flatMap((event) => (event.kind === "term-opened" ? [event.term] : []));
  assert.ok(terms.length > 0 && Math.min(...terms) > 1_000, `${terms}: of earlier terms workers may live (L3)`);
  for (const name of ["student/model.json", "teacher/model.json", "report.html"])
    assert.ok(existsSync(join(folder, name)), `${name} is fetched from the depot`);
});

function textOf(folder: string): (name: string) => string {
  return (name) => (name.includes(".") ? readFileSync(join(folder, name), "utf8") : "");
}
