import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { LimbeckError } from "../../../core/errors.ts";
import { heldBy, joinTerm, openPeers, type Path, sequentialSum, type TestMember, type TestPeer } from "./cluster.ts";

const lanes = 8;

async function openTerm(
  t: TestContext,
  weights: readonly number[],
  options: { path?: Path; floats?: number; deadlineMs?: number } = {},
) {
  const { path = "bytes", floats = 1_000, ...rest } = options;
  const peers = await openPeers(weights.length, path);
  t.after(() => {
    for (const peer of peers) peer.close();
  });
  return { peers, members: joinAll(peers, { term: 1, weights, floats, ...rest }) };
}

function joinAll(
  peers: readonly TestPeer[],
  settings: { term: number; weights: readonly number[]; floats: number; deadlineMs?: number },
): TestMember[] {
  const { weights, ...rest } = settings;
  const held = heldBy(lanes, weights);
  const members = peers.map((peer) => peer.member);
  return peers.map((peer, rank) => joinTerm(peer, { rank, members, lanes, held, ...rest }));
}

const bits = (values: Float32Array) => Buffer.from(values.buffer, values.byteOffset, values.byteLength).toString("hex");

const deals: readonly number[][] = [[1], [1, 1], [5, 3], [1, 1, 1], [1, 6, 1], [1, 1, 1, 1], [3, 1, 3, 1]];

for (const path of ["shm", "bytes"] as const) {
  test(`the sum has the bits of the sequential tree sum whatever the deal, over ${path} (L1)`, async (t) => {
    for (const weights of deals) {
      const { members } = await openTerm(t, weights, { path });
      for (const step of [0, 1, 2]) {
        const want = bits(sequentialSum(lanes, step, 1_000));
        const consumed = await Promise.all(members.map((member) => member.reduce(step)));
        for (const { sum } of members) assert.equal(bits(sum), want, `deal ${weights}, step ${step}`);
        for (const ids of consumed)
          assert.deepEqual(
            ids,
            weights.map((_, rank) => Uint32Array.of(rank, step)),
          );
      }
    }
  });
}

test("a vector smaller than the members, and one of several pieces, are summed too", async (t) => {
  for (const [path, floats] of [
    ["bytes", 5],
    ["shm", 5],
    ["bytes", 300_003],
    ["shm", 300_003],
  ] as const) {
    const { members } = await openTerm(t, [1, 2], { path, floats });
    const reduced = members.map((member) => member.reduce(0));
    const want = bits(sequentialSum(lanes, 0, floats));
    await Promise.all(reduced);
    for (const { sum } of members) assert.equal(bits(sum), want);
  }
});

test("members may be a step apart without disturbing each other", async (t) => {
  const { members } = await openTerm(t, [1, 1, 1], { path: "shm" });
  // Each runs its steps by itself, as fast as the others let it, and spoils what it may.
  await Promise.all(
    members.map(async (member, rank) => {
      for (let step = 0; step < 20; step++) {
        await member.reduce(step);
        assert.equal(bits(member.sum), bits(sequentialSum(lanes, step, 1_000)), `rank ${rank}, step ${step}`);
        member.sum.fill(Number.NaN);
      }
    }),
  );
});

test("a reduced slice can still be pulled when its owner has done with the step and written over sum and partials", async (t) => {
  const { members, peers } = await openTerm(t, [1, 1]);
  await Promise.all(members.map((member) => member.reduce(0)));
  for (const { sum } of members) sum.fill(Number.NaN);
  const waiting = members[0]!.reduce(1); // Computed, and published as far as it goes without the other.
  await untilWaiting(members[0]!);
  const slice = new Float32Array(512);
  const wanted = { term: 1, kind: "reduced", step: 0, slice: 0, deadlineMs: 5_000 };
  await peers[1]!.client.pull(peers[0]!.member, wanted, slice, new AbortController().signal);
  assert.equal(bits(slice), bits(sequentialSum(lanes, 0, 1_000).subarray(0, 512)));
  await Promise.all([waiting, members[1]!.reduce(1)]);
});

test("closing the term ends the all-reduce in flight at once, and its held pulls with it", async (t) => {
  const { members } = await openTerm(t, [1, 1]);
  const inFlight = members[0]!.reduce(0);
  assert.match(await untilWaiting(members[0]!), /partials of step 0 from student-2/);
  members[0]!.exchange.closeTerm("student-2 is lost");
  await assert.rejects(inFlight, { code: "stale_term", message: /student-2 is lost/ });
  assert.equal(members[0]!.exchange.waitingFor, "");

  // The other one has a pull held at the server of the first.
  await assert.rejects(members[1]!.reduce(1), { code: "stale_term", message: /student-2 is lost/ });
});

test("one abort signal ends one all-reduce, with its reason", async (t) => {
  const { members } = await openTerm(t, [1, 1]);
  const stop = new AbortController();
  const inFlight = members[0]!.reduce(0, stop.signal);
  await untilWaiting(members[0]!);
  stop.abort(new LimbeckError("stopped", "Ctrl-C"));
  await assert.rejects(inFlight, { code: "stopped", message: "Ctrl-C" });
});

test("a member that never comes is named when the deadline has passed (L7)", async (t) => {
  const { members } = await openTerm(t, [1, 1], { deadlineMs: 100 });
  await assert.rejects(members[0]!.reduce(0), { code: "timeout", message: /partials of step 0.*student-2.*100 ms/ });
});

test("a member whose process has gone is named", async (t) => {
  const { members, peers } = await openTerm(t, [1, 1]);
  peers[1]!.close();
  await assert.rejects(members[0]!.reduce(0), { code: "unavailable", message: /student-2/ });
});

test("a member left behind in an older term is refused, the new term is not disturbed (L3)", async (t) => {
  const { members: old, peers } = await openTerm(t, [1, 1, 1]);
  const behind = old[2]!.reduce(4);
  await untilWaiting(old[2]!);
  const members = joinAll(peers.slice(0, 2), { term: 2, weights: [1, 1], floats: 1_000 });
  await assert.rejects(behind, { code: "stale_term", message: /term 1 is over: the current term is 2/ });
  await Promise.all(members.map((member) => member.reduce(4)));
  assert.equal(bits(members[0]!.sum), bits(sequentialSum(lanes, 4, 1_000)));
  assert.equal(bits(members[1]!.sum), bits(sequentialSum(lanes, 4, 1_000)));
});

test("a member that sums other lanes than it was dealt is found out (L1)", async (t) => {
  const { members, peers } = await openTerm(t, [1, 1], { floats: 32 });
  const inFlight = members[0]!.reduce(0);
  const payload = [new Uint8Array(16 * 4)];
  peers[1]!.server.publish({ kind: "partials", term: 1, step: 0, slice: 0, nodes: [{ level: 2, index: 0 }], payload });
  await assert.rejects(inFlight, { code: "diverged", message: /student-2.*step 0/ });
});

async function untilWaiting({ exchange }: TestMember): Promise<string> {
  while (exchange.waitingFor === "") await new Promise((resolve) => setTimeout(resolve, 2));
  return exchange.waitingFor;
}
