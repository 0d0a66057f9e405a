import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { type TestContext, test } from "node:test";
import { Server } from "@grpc/grpc-js";
import { decodePullHeader, encodePullHeader } from "../../../proto/wire.ts";
import { hostId } from "../../../worker/exchange/host.ts";
import { PeerClient } from "../../../worker/exchange/peerclient.ts";
import { PeerServer } from "../../../worker/exchange/peerserver.ts";
import { listen, openPeer, type Path, type TestPeer } from "./cluster.ts";
import { type Spoil, spoilingProxy } from "./proxy.ts";

const never = new AbortController().signal;
const weights = Float32Array.from({ length: 300_000 }, (_, at) => Math.sin(at));
const weightBytes = [new Uint8Array(weights.buffer)];
const wanted = { term: 1, kind: "teacher", step: 0, slice: 0, deadlineMs: 10_000 };
const published = { ...wanted, kind: "teacher", payload: weightBytes, sha256: "abc" } as const;

async function openPair(
  t: TestContext,
  path: Path = "bytes",
  files?: Parameters<typeof openPeer>[2],
): Promise<[TestPeer, TestPeer]> {
  const pair = [await openPeer("giver", path, files), await openPeer("taker", path)] as const;
  t.after(() => {
    for (const peer of pair) peer.close();
  });
  return [...pair];
}

for (const path of ["shm", "bytes"] as const) {
  test(`a payload published before or after it is pulled arrives whole, over ${path}`, async (t) => {
    const [giver, taker] = await openPair(t, path);
    const into = new Float32Array(weights.length);
    const early = taker.client.pull(giver.member, wanted, into, never);
    setTimeout(() => giver.server.publish(published), 20);
    const header = await early;
    assert.equal(header.sha256, "abc");
    assert.equal(header.shmPath !== "", path === "shm");
    assert.deepEqual(into, weights);

    into.fill(0);
    await taker.client.pull(giver.member, wanted, into, never);
    assert.deepEqual(into, weights);
  });
}

test("a pull of an older term is refused, one of a newer term is held until that term opens (L3)", async (t) => {
  const [giver, taker] = await openPair(t);
  giver.server.openTerm(2);
  const into = new Float32Array(weights.length);
  await assert.rejects(taker.client.pull(giver.member, wanted, into, never), {
    code: "stale_term",
    message: /term 1 is over: the current term is 2/,
  });
  const early = taker.client.pull(giver.member, { ...wanted, term: 3 }, into, never);
  await new Promise((resolve) => setTimeout(resolve, 20));
  giver.server.publish({ ...published, term: 2, payload: [new Uint8Array(4)] });
  giver.server.publish({ ...published, term: 3 });
  assert.equal((await early).term, 3);
  assert.throws(() => giver.server.publish({ ...published, term: 2 }), { code: "stale_term" });
});

test("a held pull is released when its term is closed, and refused from then on", async (t) => {
  const [giver, taker] = await openPair(t);
  giver.server.openTerm(1);
  const held = taker.client.pull(giver.member, wanted, new Float32Array(1), never);
  setTimeout(() => giver.server.closeTerm(1, "a student is lost"), 20);
  await assert.rejects(held, { code: "stale_term", message: /a student is lost/ });
  await assert.rejects(taker.client.pull(giver.member, wanted, new Float32Array(1), never), { code: "stale_term" });
});

test("what is published stays to be had when its term is closed, until the next one opens", async (t) => {
  const [giver, taker] = await openPair(t);
  giver.server.publish(published);
  giver.server.closeTerm(1, "the stage is over");
  const into = new Float32Array(weights.length);
  await taker.client.pull(giver.member, wanted, into, never);
  assert.deepEqual(into, weights);
  assert.throws(() => giver.server.publish(published), { code: "stale_term", message: /the stage is over/ });
  giver.server.openTerm(2);
  await assert.rejects(taker.client.pull(giver.member, wanted, into, never), { code: "stale_term" });
});

test("a transfer on its way breaks off when the next term opens (L3)", async (t) => {
  const [giver, taker] = await openPair(t);
  const large = new Float32Array(16 * 2 ** 20);
  giver.server.publish({ ...published, payload: [new Uint8Array(large.buffer)] });
  const proxy = await spoilingProxy(giver.member, (message, { index }) => {
    if (index === 1) giver.server.openTerm(2);
    return message;
  });
  t.after(proxy.close);
  const pull = taker.client.pull(proxy.member, wanted, large, never);
  await assert.rejects(pull, { code: "stale_term", message: /term 1 is over: the current term is 2/ });
});

test("a step that its successor has replaced is gone, and said so", async (t) => {
  const [giver, taker] = await openPair(t);
  giver.server.publish({ ...published, kind: "state", step: 8 });
  const pull = taker.client.pull(giver.member, { ...wanted, kind: "state", step: 7 }, new Float32Array(1), never);
  await assert.rejects(pull, { code: "unavailable", message: /state of step 7 is gone: step 8/ });
});

test("a payload that is never published ends in a timeout that says what was awaited from whom (L7)", async (t) => {
  const [giver, taker] = await openPair(t);
  const pull = taker.client.pull(giver.member, { ...wanted, deadlineMs: 80 }, new Float32Array(1), never);
  await assert.rejects(pull, { code: "timeout", message: /teacher of step 0 did not come from giver .* within 80 ms/ });
});

test("a giver that leaves is named", async (t) => {
  const [giver, taker] = await openPair(t);
  const pull = taker.client.pull(giver.member, wanted, new Float32Array(1), never);
  setTimeout(() => giver.server.close("giver has been told to stop"), 20);
  await assert.rejects(pull, { code: "unavailable", message: /giver has been told to stop/ });
});

const flip = (message: Buffer) => {
  const flipped = Buffer.from(message);
  flipped[flipped.length >> 1]! ^= 1;
  return flipped;
};

const faults: Readonly<Record<string, { spoil: Spoil; message: RegExp }>> = {
  "a flipped bit": {
    spoil: (message, { index }) => (index === 2 ? flip(message) : message),
    message: /arrived damaged/,
  },
  "a lost message": {
    spoil: (message, { index }) => (index === 1 ? null : message),
    message: /broke off after \d+ of 1200000 bytes/,
  },
  "a doubled message": {
    spoil: (message, { index }) => (index === 1 ? Buffer.concat([message, message, message]) : message),
    message: /longer than its/,
  },
  "a wrong length": { spoil: changeHeader({ bytes: 12 }), message: /has 12 bytes, expected were 1200000/ },
  "another step": { spoil: changeHeader({ step: 5 }), message: /came as teacher of step 5/ },
  "a lost header": { spoil: () => null, message: /without a header/ },
};

function changeHeader(change: object): Spoil {
  return (message, { index }) =>
    index === 0 ? encodePullHeader({ ...decodePullHeader(message), ...change }) : message;
}

for (const [fault, { spoil, message }] of Object.entries(faults)) {
  test(`${fault} is found out: pulled again, and given up after three times`, async (t) => {
    const [giver, taker] = await openPair(t);
    giver.server.publish(published);
    const into = new Float32Array(weights.length);

    const once = await spoilingProxy(giver.member, (bytes, at) => (at.pull === 1 ? spoil(bytes, at) : bytes));
    t.after(once.close);
    await taker.client.pull(once.member, wanted, into, never);
    assert.deepEqual(into, weights);
    assert.equal(once.pulls(), 2);

    const always = await spoilingProxy(giver.member, spoil);
    t.after(always.close);
    await assert.rejects(taker.client.pull(always.member, wanted, into, never), (error: Error) => {
      assert.match(error.message, message);
      assert.match(error.message, /giver/);
      return "code" in error && error.code === "corrupt";
    });
    assert.equal(always.pulls(), 3);
  });
}

test("a header of another term is refused at once (L3)", async (t) => {
  const [giver, taker] = await openPair(t);
  giver.server.publish(published);
  const proxy = await spoilingProxy(giver.member, changeHeader({ term: 9 }));
  t.after(proxy.close);
  await assert.rejects(taker.client.pull(proxy.member, wanted, new Float32Array(weights.length), never), {
    code: "stale_term",
  });
  assert.equal(proxy.pulls(), 1);
});

test("a file in shared memory that was spoiled, is short or cannot be read is made good with bytes", async (t) => {
  const [giver, taker] = await openPair(t, "shm");
  giver.server.publish(published);
  const folder = mkdtempSync(join(tmpdir(), "limbeck-test-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const elsewhere = join(folder, "weights");
  writeFileSync(elsewhere, weightBytes[0]!);
  const named = (shmPath: string): Spoil => changeHeader({ shmPath });
  const faults: Spoil[] = [
    changeHeader({ shmOffset: 8 }),
    named("/dev/shm/limbeck-0-0-none/teacher-0"),
    // The right bytes, but no file a peer may name.
    named(elsewhere),
    (message) => {
      const header = decodePullHeader(message);
      return encodePullHeader({ ...header, shmPath: `${dirname(header.shmPath)}/../../..${elsewhere}` });
    },
    (message) => {
      writeFileSync(decodePullHeader(message).shmPath, "spoiled", { flag: "r+" });
      return message;
    },
  ];
  for (const fault of faults) {
    const proxy = await spoilingProxy(giver.member, (message, at) => (at.pull === 1 ? fault(message, at) : message));
    t.after(proxy.close);
    const into = new Float32Array(weights.length);
    assert.equal((await taker.client.pull(proxy.member, wanted, into, never)).shmPath, "");
    assert.deepEqual(into, weights);
    assert.equal(proxy.pulls(), 2);
  }
});

test("where shared memory is full, workers of one host fall back to bytes and say why, once", async (t) => {
  const full = { write: () => Promise.reject(new Error("ENOSPC: no space left on device")), close: () => {} };
  const [giver, taker] = await openPair(t, "shm", full);
  for (const step of [0, 1]) {
    giver.server.publish({ ...published, step });
    const into = new Float32Array(weights.length);
    assert.equal((await taker.client.pull(giver.member, { ...wanted, step }, into, never)).shmPath, "");
    assert.deepEqual(into, weights);
  }
  assert.equal(giver.notes.length, 1);
  assert.match(giver.notes[0]!, /ENOSPC/);
});

test("where there is no shared memory at all, bytes are given", async (t) => {
  const server = new PeerServer({ host: hostId(), files: null, note: assert.fail });
  const grpc = new Server();
  server.addTo(grpc);
  const client = new PeerClient(hostId());
  const address = await listen(grpc);
  t.after(() => {
    client.close();
    grpc.forceShutdown();
  });
  server.publish(published);
  const into = new Float32Array(weights.length);
  assert.equal((await client.pull({ worker: "giver", address }, wanted, into, never)).shmPath, "");
  assert.deepEqual(into, weights);
});

test("a payload that nobody publishes is not waited for", async (t) => {
  const [giver, taker] = await openPair(t, "bytes");
  const odd = { ...wanted, kind: "x".repeat(100_000), deadlineMs: 60_000 };
  const pulled = taker.client.pull(giver.member, odd, new Float32Array(1), never);
  await assert.rejects(pulled, (error: Error) => /nobody publishes/.test(error.message) && error.message.length < 500);
});
