/** Jobs of a service from the command line, with real workers: submitted, listed, steered, fetched, over a kill -9 of the coordinator. */
import assert from "node:assert/strict";
import { readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import type { JobEntry } from "../../core/jobentry.ts";
import { limbeck, scratchFolder, start } from "./limbeck.ts";
import { Said } from "./said.ts";
import { startedService } from "./service.ts";

const smoke = "examples/smoke.yaml";
const set = (...settings: string[]) => settings.flatMap((each) => ["--set", each]);

test("a service's jobs from their submission to their end, over the death of its coordinator", {
  timeout: 290_000,
}, async (t) => {
  const service = await startedService(t, 3);
  const { ask, scratch } = service;
  const cache = `softTargets.cache.dir=${join(scratch, "cache")}`;
  const long = [smoke, "--name", "long", ...set("teach.epochs=100000", "evaluation.everyEpochs=0", cache)];
  const short = [smoke, "--name", "short", ...set("teach.epochs=1", "distil.epochs=1", "baseline=false", cache)];
  const listed = async (...args: string[]) => {
    const entries = JSON.parse((await ask("list", "-o", "json", ...args)).stdout) as JobEntry[];
    return Object.fromEntries(entries.map((entry) => [entry.name, entry]));
  };

  const watching = service.start("submit", ...long);
  const shown = new Said(watching);
  const told = new Said(watching, "stderr");
  await shown.until(/^teach {2}step /m);
  const [, id] = /^(long-[0-9a-f]{4}): queued/.exec(shown.text)!;

  const left = service.start("submit", ...long);
  const leftSaid = new Said(left);
  const queued = await ask("submit", ...short, "--no-wait", "--priority", "-3", "-o", "json");
  const taken = JSON.parse(queued.stdout);
  assert.deepEqual([taken.created, taken.state], [true, "queued"]);
  await leftSaid.until(/^teach {2}step /m);
  left.process.kill("SIGINT");
  const [detached, now, table] = await Promise.all([left.outcome, listed(), ask("list")]);
  assert.equal(detached.code, 130, detached.stderr);
  assert.match(
    detached.stdout,
    new RegExp(`^${id}: running; it was submitted before`),
    "the same job under the same name",
  );
  assert.match(detached.stdout, new RegExp(`${id} goes on without this command.*\\n.*limbeck cancel ${id}`));
  assert.deepEqual([now["long"]!.state, now["long"]!.workers.length], ["running", 3]);
  assert.deepEqual([now["short"]!.state, now["short"]!.priority, now["short"]!.why !== ""], ["queued", -3, true]);
  assert.match(table.stdout, /^long-[0-9a-f]{4} +running +0 +3 .* teach, \d+\.\d\d %/m);

  const before = shown.text.length;
  await service.restart();
  await told.until(/the coordinator does not answer; waiting for it/);
  await shown.until(/^teach {2}step /m, before);

  const paused = await ask("pause", id!, "--why", "others\u001b[2J first", "-o", "json");
  assert.equal(JSON.parse(paused.stdout).state, "pausing", paused.stderr);
  await shown.until(new RegExp(`^${id} is paused: .*others \\[2J first\\n  limbeck resume ${id}$`, "m"));
  const done = await ask("submit", ...short);
  assert.equal(done.code, 0, done.stderr);
  assert.match(done.stdout, /verdict: /);
  assert.match(done.stdout, new RegExp(`limbeck artifacts ${taken.id} --fetch ${taken.id}$`, "m"));

  const resumed = shown.text.length;
  assert.equal(JSON.parse((await ask("resume", "long", "-o", "json")).stdout).job, id);
  await shown.until(/^teach {2}step /m, resumed);
  const status = await ask("status");
  assert.match(status.stdout, new RegExp(`^${id}: running$`, "m"), "the only one that is not over");
  const [ended, cancelled] = await Promise.all([
    watching.outcome,
    ask("cancel", "long", "--why", "enough", "-o", "json"),
  ]);
  assert.equal(JSON.parse(cancelled.stdout).job, id, cancelled.stderr);
  assert.equal(ended.code, 1);
  assert.match(ended.stderr, new RegExp(`limbeck: ${id} was cancelled: .*enough`));
  assert.doesNotMatch(ended.stderr, /^\s+at /m);

  const folder = join(scratch, "fetched");
  const list = JSON.parse((await ask("artifacts", "short", "-o", "json")).stdout);
  const fetched = JSON.parse((await ask("artifacts", "short", "--fetch", folder, "-o", "json")).stdout);
  const paths = list.artifacts.map(({ path }: { path: string }) => path);
  assert.deepEqual(fetched.fetched, paths);
  for (const { path, bytes } of list.artifacts) assert.equal(statSync(join(folder, path)).size, bytes);
  assert.equal(JSON.parse(readFileSync(join(folder, "report.json"), "utf8")).job ?? "smoke", "smoke");
  const kept = JSON.parse((await ask("artifacts", "short", "--fetch", folder, "-o", "json")).stdout);
  assert.deepEqual([kept.fetched, kept.kept], [[], paths]);

  const asked = [ask("logs", "shrot"), ask("logs", "short", "-n", "1"), ask("list")] as const;
  const [unknown, logs, none] = await Promise.all(asked);
  assert.deepEqual([unknown.code, unknown.stderr], [2, "limbeck: there is no job shrot: did you mean short?\n"]);
  assert.match(logs.stdout, /done$/m);
  assert.equal(none.stdout, "no jobs\n2 jobs are over: --all shows them, too\n");

  const anew = JSON.parse((await ask("submit", ...long, "--no-wait", "-o", "json")).stdout);
  assert.equal(anew.created, true);
  assert.match(anew.why, new RegExp(`it is a new job: ${id}, the same, was cancelled$`));
  const [over, again] = await Promise.all([ask("cancel", anew.id), ask("submit", ...short, "--no-wait", "-o", "json")]);
  assert.equal(over.code, 0, over.stderr);
  const { created, id: same } = JSON.parse(again.stdout);
  assert.deepEqual([created, same], [false, taken.id], "one that is done is shown, and not done again");

  const deleted = await ask("delete", "short", "-o", "json");
  const gone = { job: same, state: "done", why: "it was deleted" };
  assert.deepEqual([deleted.code, JSON.parse(deleted.stdout)], [0, gone], deleted.stderr);
  assert.equal((await ask("artifacts", "short")).code, 2);
});

test("a job file that is wrong is refused before anybody is asked, and so is code that cannot be sent", async (t) => {
  const folder = await scratchFolder(t);
  const text = readFileSync(smoke, "utf8");
  writeFileSync(join(folder, "wrong.yaml"), text.replace("temperature: 4", "tempurature: 4"));
  const nobody = ["--coordinator", "127.0.0.1:1"];
  const wrong = await limbeck("submit", join(folder, "wrong.yaml"), ...nobody);
  assert.equal(wrong.code, 2);
  assert.match(wrong.stderr, /wrong\.yaml:\d+: distil\.tempurature: unknown key; did you mean temperature\?/);
  writeFileSync(join(folder, "module.yaml"), text.replace(/student:\n.*\n.*\n/, "student:\n  module: net.ts\n"));
  writeFileSync(join(folder, "net.ts"), 'import "./layers.ts";\n');
  const unsent = await limbeck("submit", join(folder, "module.yaml"), ...nobody);
  assert.equal(unsent.code, 2);
  assert.match(unsent.stderr, /module\.yaml:\d+: student\.module: net\.ts:1 imports \.\/layers\.ts/);
  const unheard = await limbeck("submit", smoke, ...nobody);
  assert.equal(unheard.code, 1);
  assert.match(unheard.stderr, /^limbeck: no coordinator answers at 127\.0\.0\.1:1; name one with --coordinator/);
});

test("where the coordinator is, is said once", async () => {
  const twice = await limbeck("list", "--coordinator", "127.0.0.1:1", "--nats", "nats://127.0.0.1:1");
  assert.deepEqual([twice.code, /exclude each other/.test(twice.stderr)], [2, true]);
  const nowhere = await start(["worker"], { LIMBECK_COORDINATOR: "", LIMBECK_NATS: "" }).outcome;
  assert.equal(nowhere.code, 2);
  const typed = ["list", "--coordinator", "127.0.0.1:1"];
  const both = await start(typed, { LIMBECK_NATS: "nats://127.0.0.1:1" }).outcome;
  assert.match(both.stderr, /no coordinator answers at 127\.0\.0\.1:1/, "what is typed goes before the environment");
});
