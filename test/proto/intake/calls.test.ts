/** What calls may hold of a server is bounded, and who holds little is served. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type ServerHttp2Stream } from "node:http2";
import type { AddressInfo } from "node:net";
import { type TestContext, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { gzipSync } from "node:zlib";
import { boundCalls, type CallLimits } from "../../../proto/intake/calls.ts";
import { holdReads } from "../../../proto/intake/heldreads.ts";
import { Attacker, framed, open, settled, type Tally } from "../../fuzz/wire/attacker.ts";
import { headers, preface, reset, settings } from "../../fuzz/wire/rawframes.ts";
import { echo, path } from "./server.ts";

const bounded = { timeout: 20_000 };
const tally = (): Tally => ({ calls: 0, messages: 0, statuses: {} });
const [ok, exhausted, deadline, unimplemented] = ["0", "8", "4", "12"];

/** Who attacks a server whose calls are read; they are answered by `answer`, or never. */
async function attacking(
  t: TestContext,
  limits: Partial<CallLimits>,
  answer: (stream: ServerHttp2Stream) => void = () => {},
): Promise<Attacker> {
  const server = createServer();
  server.on("stream", (stream: ServerHttp2Stream) => {
    stream.on("data", () => {});
    answer(stream);
  });
  boundCalls(server, limits);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const attacker = new Attacker(`127.0.0.1:${(server.address() as AddressInfo).port}`, undefined);
  t.after(async () => {
    await attacker.close();
    server.close();
  });
  return attacker;
}

test("a call that is reset in the packet that opened it, whatever it asks for, harms nobody", bounded, async (t) => {
  const { attacker } = await echo(t);
  for (const [asked, type] of [
    ["/no.Such/Method", "application/grpc"],
    [path, "text/plain"],
    [path, "application/grpc"],
  ] as const) {
    const socket = attacker.raw().on("data", () => {});
    const pairs = [1, 3, 5, 7].map((stream) => Buffer.concat([headers(stream, asked, type), reset(stream, 8)]));
    socket.write(Buffer.concat([preface, settings, ...pairs]));
  }
  const stream = open(attacker.shared, path);
  stream.end(framed(Buffer.alloc(1)));
  assert.equal(await settled(stream, tally()), ok);
});

test("what is compressed is refused, and not unpacked", bounded, async (t) => {
  const { attacker, heard } = await echo(t);
  const stream = open(attacker.shared, path, { "grpc-encoding": "gzip" });
  stream.end(framed(gzipSync(Buffer.alloc(1_000)), { flag: 1 }));
  assert.equal(await settled(stream, tally()), unimplemented);
  assert.equal(heard(), 0);
});

test("of messages that are not complete, the largest goes when they are too much together", bounded, async (t) => {
  const attacker = await attacking(t, { partialBytes: 100_000 });
  const small = open(attacker.session(), path);
  small.write(framed(Buffer.alloc(1_000)).subarray(0, 900));
  const large = Array.from({ length: 3 }, () => open(attacker.session(), path));
  const ends = large.map((stream) => settled(stream, tally(), 5_000));
  for (const stream of large) {
    stream.write(framed(Buffer.alloc(45_000), { length: 60_000 }));
    await sleep(50);
  }
  assert.equal(await Promise.race(ends), exhausted);
  assert.equal(small.closed, false);
  assert.equal(large.filter(({ closed }) => closed).length, 1);
});

test("a message that does not come to its end in time ends its call", bounded, async (t) => {
  const attacker = await attacking(t, { messageMs: 300 });
  const slow = open(attacker.shared, path);
  slow.write(framed(Buffer.alloc(9)).subarray(0, 6));
  const idle = open(attacker.shared, path);
  idle.write(framed(Buffer.alloc(9)));
  assert.equal(await settled(slow, tally(), 5_000), deadline);
  assert.equal(idle.closed, false, "between two messages there is time");
});

test("of too many calls, the newest of the connection that has most goes", bounded, async (t) => {
  const attacker = await attacking(t, { calls: 20 });
  const few = open(attacker.session(), path);
  await sleep(50);
  const greedy = attacker.session();
  const many = Array.from({ length: 30 }, () => open(greedy, path));
  const late = open(attacker.session(), path);
  await Promise.all(many.slice(20).map((stream) => settled(stream, tally(), 5_000)));
  await sleep(100);
  assert.deepEqual([few.closed, late.closed], [false, false]);
  assert.ok(many.filter(({ closed }) => !closed).length <= 20);
});

test("a call that is answered and not ended is ended", bounded, async (t) => {
  const attacker = await attacking(t, { lingerMs: 200 }, (stream) => {
    stream.pause();
    stream.respond({ ":status": 200, "grpc-status": 5 }, { endStream: true });
    stream.resume();
  });
  const stream = open(attacker.shared, path);
  stream.write(framed(Buffer.alloc(3)));
  assert.equal(await settled(stream, tally(), 10_000), "5");
});

test("who does not take its answers is asked nothing more", bounded, async (t) => {
  const requests = 20_000;
  const flooded = async (interceptors: readonly (typeof holdReads)[]) => {
    const { attacker, heard } = await echo(t, { interceptors, answerBytes: 10_000 });
    const stream = open(attacker.session(), path);
    stream.pause();
    stream.write(Buffer.alloc(6 * requests, framed(Buffer.alloc(1))));
    for (let before = -1; before < heard(); await sleep(300)) before = heard();
    return heard();
  };
  const most = await flooded([holdReads]);
  assert.ok(most < 200, `${most} requests were read`);
  assert.ok((await flooded([])) > 5 * most, "without it they are");
});

test("who takes its answers gets all of them", bounded, async (t) => {
  const { attacker } = await echo(t, { interceptors: [holdReads], answerBytes: 100 });
  const stream = open(attacker.shared, path);
  let bytes = 0;
  stream.on("data", (chunk: Buffer) => {
    bytes += chunk.length;
  });
  stream.end(Buffer.alloc(6 * 3_000, framed(Buffer.alloc(1))));
  assert.equal(await settled(stream, tally(), 15_000), ok);
  assert.equal(bytes, 3_000 * 105);
});
