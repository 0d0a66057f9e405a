/** Checkpoints on their way into a depot and back. */
import assert from "node:assert/strict";
import { fork } from "node:child_process";
import { once } from "node:events";
import { mkdir, readdir, readFile, rm, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { fileURLToPath } from "node:url";
import { saveCheckpoint, type WantedCheckpoint } from "../../../worker/artifacts/checkpoint.ts";
import { openScratch } from "../../../worker/depot/scratch.ts";
import { openWorkerDepot, type WorkerDepot } from "../../../worker/depot/workerdepot.ts";
import { scratchFolder } from "../../e2e/limbeck.ts";
import { type S3Server, s3Server } from "../../s3server.ts";
import { sampleCheckpoint } from "../artifacts/sample.ts";

// The sources and dist/ alike: .ts there, .js here.
const writer = fileURLToPath(import.meta.url).replace(/workerdepot\.test(\.[jt]s)$/, "writer$1");
const any: WantedCheckpoint = { below: Number.POSITIVE_INFINITY, refuses: () => null };
const keep2 = { stage: "distil", keep: 2 } as const;

interface Setting {
  readonly server: S3Server;
  readonly depot: WorkerDepot;
  /** Of its checkpoints. */
  readonly root: string;
  readonly warnings: string[];
  /** Saves the checkpoint of a step and puts it; resolves when it is there. */
  put(step: number): Promise<void>;
  open(): Promise<WorkerDepot>;
}

async function setting(t: TestContext): Promise<Setting> {
  const server = await s3Server();
  t.after(() => server.close());
  Object.assign(process.env, server.env);
  const root = join(await scratchFolder(t), "checkpoints");
  const open = () => openWorkerDepot({ url: "s3://models", folder: "smoke", status: { waitingFor: () => "" } });
  const depot = await open();
  const warnings: string[] = [];
  depot.onWarning = (why) => void warnings.push(why);
  const put = async (step: number) => {
    const { folder } = await saveCheckpoint(root, sampleCheckpoint(step));
    await new Promise<void>((sent) => depot.saved(folder, keep2, sent));
  };
  return { server, depot, root, warnings, put, open };
}

const whole = ({ server }: Setting) =>
  [...server.objects.keys()].flatMap((key) => /distil-0*(\d+)\/manifest\.json$/.exec(key)?.[1] ?? []).sort();

/** Resolves when such a request comes, which then waits for `go`. */
function held(server: S3Server, what: RegExp): { reached: Promise<void>; go: () => void } {
  let go = () => {};
  const going = new Promise<void>((resolve) => {
    go = resolve;
  });
  const reached = new Promise<void>((resolve) => {
    server.before = async (request) => {
      if (!what.test(request.what)) return;
      resolve();
      await going;
    };
  });
  return { reached, go };
}

test("a writer that is killed between two files leaves no checkpoint; the next one takes its place", async (t) => {
  const all = await setting(t);
  const { server, root, depot, put } = all;
  const { folder } = await saveCheckpoint(root, sampleCheckpoint(5));
  for (const file of ["weights", "optimizer", "ledger", "manifest"]) {
    const { reached, go } = held(server, new RegExp(`PUT smoke/checkpoints/distil-00000005/${file}`));
    const child = fork(writer, ["s3://models", folder], { stdio: "inherit", env: { ...process.env, ...server.env } });
    await reached;
    // What has come so far is there; the one that is held is refused, as if it had never arrived.
    server.refuse = ({ what }) => (what.startsWith("PUT") ? "AccessDenied" : null);
    child.kill("SIGKILL");
    await once(child, "close");
    go();
    assert.equal((await depot.newest(join(root, "other"), "distil", any)).latest, null, file);
    assert.deepEqual(whole(all), []);
    server.refuse = () => null;
  }
  await put(5);
  const { latest } = await depot.newest(join(root, "other"), "distil", any);
  assert.deepEqual(latest!.checkpoint, sampleCheckpoint(5));
});

test("what is damaged in the depot is passed over with why, and what is missing here is fetched", async (t) => {
  const all = await setting(t);
  const { server, root, depot, put } = all;
  await put(10);
  await put(20);
  const weights = server.objects.get("smoke/checkpoints/distil-00000020/weights.safetensors")!;
  weights.bytes = weights.bytes.subarray(0, 100);
  await rm(root, { recursive: true });
  const { latest, skipped } = await depot.newest(root, "distil", any);
  assert.deepEqual([latest!.checkpoint.step, latest!.folder], [10, join(root, "distil-00000010")]);
  assert.equal(skipped.length, 1);
  assert.match(skipped[0]!.why, /distil-00000020\/weights\.safetensors in s3:\/\/models is not what was put there/);
  assert.deepEqual(await readdir(root), ["distil-00000010"], "whole, and nothing beside it");

  // Whoever has it already reads it here.
  server.refuse = ({ what }) => (/safetensors/.test(what) ? "AccessDenied" : null);
  const again = await depot.newest(root, "distil", { below: 20, refuses: () => null });
  assert.deepEqual(again.latest!.checkpoint, sampleCheckpoint(10));
  server.refuse = () => null;
  await writeFile(join(root, "distil-00000010", "ledger.safetensors"), "damaged here");
  assert.deepEqual((await depot.newest(root, "distil", any)).latest!.checkpoint, sampleCheckpoint(10));
  const refused = await depot.newest(root, "distil", { below: 15, refuses: () => "it is of another job" });
  assert.deepEqual([refused.latest, refused.skipped[0]!.why], [null, "it is of another job"]);
});

test("what lies only here counts for nothing: its replica may have gone wrong", async (t) => {
  const { root, depot, put } = await setting(t);
  await put(10);
  await saveCheckpoint(root, sampleCheckpoint(30));
  assert.equal((await depot.newest(root, "distil", any)).latest!.checkpoint.step, 10);
});

test("a newer checkpoint supersedes one that waits; as many are kept as the job says", async (t) => {
  const all = await setting(t);
  const { server, root, depot, put } = all;
  await put(1);
  const { reached, go } = held(server, /distil-00000002\/weights/);
  const sent: number[] = [];
  const save = async (step: number) => {
    const { folder } = await saveCheckpoint(root, sampleCheckpoint(step));
    depot.saved(folder, keep2, () => void sent.push(step));
  };
  await save(2);
  await reached;
  await save(3);
  await save(4);
  assert.deepEqual([...depot.spared], ["distil-00000002", "distil-00000004"]);
  go();
  await depot.close();
  assert.deepEqual(
    [sent, whole(all)],
    [
      [2, 4],
      ["2", "4"],
    ],
  );
  assert.ok(![...server.objects.keys()].some((key) => key.includes("distil-00000001")), "nothing is left of the first");
});

test("a depot that is away ends nothing: it is told once, and the checkpoint gets there when it is back", async (t) => {
  const all = await setting(t);
  const { server, warnings, put } = all;
  let refusals = 0;
  server.refuse = () => (refusals++ < 3 ? "AccessDenied" : null);
  await put(10);
  assert.deepEqual(whole(all), ["10"]);
  assert.equal(warnings.length, 1, `${warnings}`);
  assert.match(
    warnings[0]!,
    /distil-00000010 is not in the depot yet, it is tried again: s3:\/\/models: access is denied/,
  );
});

test("one that waits for the depot to come back is superseded, too", async (t) => {
  const all = await setting(t);
  const { server, root, depot, warnings } = all;
  let refused = () => {};
  const away = new Promise<void>((resolve) => {
    refused = resolve;
  });
  server.refuse = () => "AccessDenied";
  depot.onWarning = (why) => {
    warnings.push(why);
    refused();
  };
  const older = await saveCheckpoint(root, sampleCheckpoint(2));
  depot.saved(older.folder, keep2, () => assert.fail("it was superseded"));
  await away;
  server.refuse = () => null;
  const newer = await saveCheckpoint(root, sampleCheckpoint(3));
  await new Promise<void>((sent) => depot.saved(newer.folder, keep2, sent));
  assert.deepEqual(whole(all), ["3"]);
});

test("who goes back behind a checkpoint removes it from the depot, and what was on its way there", async (t) => {
  const all = await setting(t);
  const { server, root, depot, put } = all;
  await put(10);
  await put(20);
  const { reached, go } = held(server, /distil-00000030\/optimizer/);
  const { folder } = await saveCheckpoint(root, sampleCheckpoint(30));
  depot.saved(folder, keep2, () => assert.fail("it was dropped"));
  await reached;
  const dropping = depot.dropCheckpoints("distil", 20);
  go();
  await dropping;
  assert.deepEqual([whole(all), (await depot.newest(root, "distil", any)).latest!.checkpoint.step], [["10"], 10]);
});

test("the same checkpoint again, of a later term, leaves the one that is there in its place", async (t) => {
  const { server, root, depot, put } = await setting(t);
  await put(10);
  const puts = () => server.requests.filter(({ what }) => what.startsWith("PUT")).length;
  const before = puts();
  const { folder } = await saveCheckpoint(root, { ...sampleCheckpoint(10), term: 9 });
  await new Promise<void>((sent) => depot.saved(folder, keep2, sent));
  assert.equal(puts(), before);
});

test("a model is in the depot when its model.json is, without the parts of an earlier one", async (t) => {
  const { server, root, depot } = await setting(t);
  const write = async (...names: string[]) => {
    await rm(join(root, "student"), { recursive: true, force: true });
    await mkdir(join(root, "student"), { recursive: true });
    for (const name of names) await writeFile(join(root, "student", name), `${names}`);
  };
  await write("model.json", "shard1.bin", "shard2.bin");
  await depot.exported(root, ["student"], new AbortController().signal);
  await write("model.json", "shard3.bin");
  await depot.exported(root, ["student"], new AbortController().signal);
  const puts = server.requests.flatMap(({ what }) =>
    /^(PUT|DELETE)/.test(what) ? [what.replace(/smoke\/student\//, "")] : [],
  );
  assert.deepEqual(puts, [
    ...["PUT shard1.bin", "PUT shard2.bin", "PUT model.json"],
    ...["DELETE model.json", "PUT shard3.bin", "DELETE shard1.bin", "DELETE shard2.bin", "PUT model.json"],
  ]);
});

test("a model that the depot has not taken in time is told of by its name, also where a checkpoint was before", async (t) => {
  const { server, depot, root, warnings } = await setting(t);
  server.before = async () => {
    throw new Error("full");
  };
  const { folder } = await saveCheckpoint(root, sampleCheckpoint(1));
  depot.saved(folder, keep2, () => {});
  await depot.exported(root, ["student"], AbortSignal.abort());
  depot.forget();
  assert.match(warnings.at(-1)!, /^the depot has not taken distil-00000001, student\/: it gets them as soon as it can/);
});

test("a folder of scratch is swept when nothing was written into it for a week", async (t) => {
  const cache = await scratchFolder(t);
  const before = process.env["LIMBECK_CACHE"];
  process.env["LIMBECK_CACHE"] = cache;
  t.after(() => {
    if (before === undefined) delete process.env["LIMBECK_CACHE"];
    else process.env["LIMBECK_CACHE"] = before;
  });
  const folders = { old: await openScratch("old"), busy: await openScratch("busy") };
  await mkdir(join(folders.busy, "checkpoints"));
  const long = new Date(Date.now() - 8 * 24 * 3_600_000);
  for (const folder of Object.values(folders)) await utimes(folder, long, long);
  assert.equal(await openScratch("new"), join(cache, "jobs", "new"));
  assert.deepEqual(await readdir(join(cache, "jobs")), ["busy", "new"]);
  await assert.rejects(openScratch("../x"), { code: "internal" });
  await assert.rejects(readFile(join(cache, "x")));
});
