/** How a replica comes back: by a sum, by the state, from a checkpoint; and what is done with steps that are not finite. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { bytesOf } from "../../worker/bytes.ts";
import { openPeer } from "./exchange/cluster.ts";
import { scratchFolder, smokeJob } from "./foreman.ts";
import { Troupe } from "./troupe.ts";

const bounded = { timeout: 180_000 };
const steps = 40;
const quiet = [
  "engine=wasm",
  "evaluation.everyEpochs=0",
  `teach={steps: ${steps}, optimizer: {kind: adam, learningRate: 0.002}, views: {shift: 1}}`,
];

test("a sum makes the same bits of a replica as the step it is of, and so does the state (L1)", bounded, async (t) => {
  const endless = "teach={steps: 100000, optimizer: {kind: adam, learningRate: 0.002}}";
  const job = smokeJob(...quiet, endless, "checkpoint.everySteps=0", "verification.everySteps=1");
  const troupe = await new Troupe(t, job).open();
  const [first, second] = await troupe.hire("student-1", "student-2");
  const readies = await troupe.assign([first!]);
  const { parameters } = readies[0]!.ready!;
  troupe.begin([first!], readies);
  await first!.reached(3);

  // The test follows, as a student would.
  const peer = await openPeer("test", "bytes");
  t.after(peer.close);
  const never = new AbortController().signal;
  const member = { worker: "student-1", address: first!.hello!.address };
  const wanted = { term: 1, slice: 0, deadlineMs: 30_000 };
  const weights = new Float32Array(parameters);
  const optimizerState = new Float32Array(2 * parameters);
  const seen = new Uint8Array(2000);
  const state = [bytesOf(weights), bytesOf(optimizerState), seen];
  const snapshot = await peer.client.pull(member, { ...wanted, kind: "snapshot", step: 0 }, state, never);
  const { step, sha256 } = snapshot;
  const sum = new Float32Array(parameters + 6);
  const delta = await peer.client.pull(member, { ...wanted, kind: "delta", step }, sum, never);
  const digestOf = async (at: number) => {
    const { digest } = await first!.hear("digest", (message) => message.digest!.step === at);
    return digest!.weightsSha256;
  };
  assert.equal(await digestOf(step), sha256);

  // And gives what it has to one that is behind.
  const other = { worker: "test", address: peer.member.address, host: "elsewhere", firstLane: 2, lanes: 2 };
  const { address, host } = second!.hello!;
  const students = [{ worker: "student-2", address, host, firstLane: 0, lanes: 2 }, other];
  const offer = (term: number) => {
    const replica = () => snapshot.replica;
    peer.server.publish({ term, kind: "state", step, slice: 0, payload: state, sha256, replica });
    const examples = new Uint32Array(new Uint8Array(delta.examples).buffer);
    peer.server.publish({ term, kind: "sum", step, slice: 0, payload: [bytesOf(sum)], examples });
  };
  offer(2);
  troupe.term = 1;
  const [atStart] = await troupe.assign([second!], { students });
  assert.equal(atStart!.ready!.step, 0);
  const begin = (term: number, at: number, sumSources: string[]) =>
    second!.send({ term, begin: { step: at, sources: ["test"], sumSources, evaluate: false }, body: "begin" });
  begin(2, step, []);
  await second!.hear("heartbeat", ({ heartbeat }) => heartbeat!.step === step);
  offer(3);
  const [byState] = await troupe.assign([second!], { students });
  assert.deepEqual([byState!.ready!.step, byState!.ready!.weightsSha256], [step, sha256]);
  begin(3, step + 1, ["test"]);
  await second!.hear("heartbeat", ({ heartbeat }) => heartbeat!.step === step + 1);
  const [bySum] = await troupe.assign([second!], { students });
  assert.equal(bySum!.ready!.step, step + 1);
  assert.equal(bySum!.ready!.hasSum, true);
  assert.equal(bySum!.ready!.weightsSha256, await digestOf(step + 1));
});

test(
  "of checkpoints the newest whole one is gone on from, to the same bits; the others are named",
  bounded,
  async (t) => {
    const job = smokeJob(...quiet, "checkpoint={everySteps: 10, keep: 9}", "verification.everySteps=0");
    const runFolder = scratchFolder(t);
    const troupe = await new Troupe(t, job, runFolder).open();
    const [first] = await troupe.hire("student-1");
    await troupe.start([first!]);
    const undisturbed = await troupe.finish([first!]);
    const folder = join(runFolder, "checkpoints");
    assert.deepEqual(
      readdirSync(folder),
      [10, 20, 30, 40].map((step) => `teach-000000${step}`),
    );
    for (const step of [10, 20, 30, 40]) await first!.hear("digest", ({ digest }) => digest!.step === step);

    const file = join(folder, "teach-00000030", "weights.safetensors");
    const bytes = readFileSync(file);
    bytes[bytes.length >> 1]! ^= 1;
    writeFileSync(file, bytes);
    const [second] = await troupe.hire("student-2");
    const [ready] = await troupe.assign([second!], { restore: true, restoreBelow: 40 });
    const { step, restoredFrom, skipped } = ready!.ready!;
    assert.deepEqual([step, restoredFrom], [20, "checkpoints/teach-00000020"]);
    assert.equal(skipped.length, 1);
    assert.match(skipped[0]!, /^teach-00000030: .*weights\.safetensors is not what was written/);
    troupe.begin([second!], [ready!]);
    assert.equal(await troupe.finish([second!]), undisturbed);
  },
);

test(
  "steps that are not finite are skipped, their examples named; too many in a row are refused",
  bounded,
  async (t) => {
    const folder = scratchFolder(t);
    const rows = (count: number, from: number) =>
      Array.from({ length: count }, (_, at) => `${at === from ? "3e38,3e38,3e38" : `${at % 7},${at % 3},1`},${at % 2}`);
    writeFileSync(join(folder, "train.csv"), `${["a,b,c,label", ...rows(64, 21)].join("\n")}\n`);
    writeFileSync(join(folder, "test.csv"), `${["a,b,c,label", ...rows(16, -1)].join("\n")}\n`);
    const csv = `{kind: csv, path: ${folder}, train: {examples: train.csv}, test: {examples: test.csv}, label: label, classes: 2, normalization: none, limit: 64}`;
    const skipping = [
      `dataset=${csv}`,
      "teacher={kind: mlp, widths: [8]}",
      "student={kind: mlp, widths: [8]}",
      "lanes={count: 4, batch: 4}",
      "teach={steps: 8, optimizer: {kind: sgd, learningRate: 0.01}}",
      "evaluation.everyEpochs=0",
    ];
    const troupe = await new Troupe(t, smokeJob("engine=wasm", ...skipping)).open();
    const [first] = await troupe.hire("student-1");
    await troupe.start([first!]);
    await troupe.finish([first!]);
    const told = first!.heard.flatMap(({ skipped }) => (skipped ? [skipped] : []));
    assert.equal(told.length, 2, "once in each of two epochs");
    for (const { examples } of told) assert.deepEqual([...new Uint32Array(new Uint8Array(examples).buffer)], [21]);
    const { consumed } = (await first!.hear("stageDone")).stageDone!;
    assert.deepEqual([consumed!.seen, consumed!.missing], [128, 0], "each had its turn");

    const strict = smokeJob("engine=wasm", ...skipping, "lanes={count: 4, batch: 16}", "nonFinite.inARow=2");
    const again = await new Troupe(t, strict).open();
    const [other] = await again.hire("student-1");
    await again.start([other!]);
    await assert.rejects(again.finish([other!]), /3 steps in a row.*nonFinite\.inARow, 2.*lane \d: 21/s);
  },
);
