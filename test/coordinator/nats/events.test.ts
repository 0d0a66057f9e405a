import assert from "node:assert/strict";
import { test } from "node:test";
import { newEventQueue } from "../../../coordinator/nats/eventqueue.ts";
import { openNatsEvents } from "../../../coordinator/nats/events.ts";
import type { ProgressEvent } from "../../../core/events.ts";
import { eventStream } from "../../../proto/cluster.ts";
import { events as sampleEvents } from "../../fuzz/files/samplerun.ts";
import { startNats } from "../../natsserver.ts";
import { cluster, storeOn } from "./storeof.ts";

const step = sampleEvents.find(({ kind }) => kind === "stepped")!;
const stepped = (at: number) => ({ ...step, step: at, atMs: at }) as ProgressEvent;
const stopped = (at: number, why = "x") => ({ kind: "job-stopped", why, atMs: at }) as ProgressEvent;
const times = (events: readonly ProgressEvent[]) => events.map(({ atMs }) => atMs);

test("events come in order, each once, while the server is killed and comes back, and are there in the next life", async (t) => {
  const server = await startNats(t, { lines: ["max_payload: 8192"] });
  const { lead, nats } = await storeOn(t, [server.url], { ttlMs: 3_000 });
  const leadership = await lead();
  const store = await leadership.events("mnist-7f3a");
  const feed = nats.connection.subscribe(`limbeck.${cluster}.events.mnist-7f3a.job-stopped`);
  for (let at = 0; at < 40; at++) {
    // Large ones travel in parts.
    await store.append(at % 2 ? stepped(at) : stopped(at, "y".repeat(at * 500)));
    if (at === 10) await server.kill();
    if (at === 30) await server.restart();
  }
  await store.append(stopped(40));
  for await (const message of feed) if (message.string().includes('"atMs":40}')) break;
  await store.close();
  await leadership.resign();
  const next = await lead();
  const { events } = await next.events("mnist-7f3a");
  assert.deepEqual(times(events), [...Array(41).keys()]);
  assert.equal((events[38] as { why: string }).why.length, 38 * 500);
  await next.resign();
});

test("of a queue that overflows the oldest steps go, never the first and never what is decided, and it is said once", () => {
  let told = 0;
  const queue = newEventQueue({ most: 4, overflowed: () => void told++ });
  for (const event of [stepped(0), stepped(1), stopped(2), stepped(3), stopped(4), stepped(5), stopped(6)])
    queue.push(event);
  const left: number[] = [];
  for (let first = queue.first(); first; first = queue.first()) {
    left.push(first.atMs);
    queue.shift();
  }
  assert.deepEqual([left, told], [[0, 2, 4, 6], 1]);
});

test("a stream that takes no more ends the record, with a sentence, and no job", async (t) => {
  const server = await startNats(t);
  const { lead, nats, warnings } = await storeOn(t, [server.url]);
  const leadership = await lead();
  const manager = await nats.connection.jetstreamManager();
  await manager.streams.update(eventStream(cluster), { max_msg_size: 200 });
  const store = await openNatsEvents(nats, {
    cluster,
    stream: eventStream(cluster),
    job: "job",
    fence: leadership.fence,
    signal: new AbortController().signal,
    held: () => leadership.held(),
    warn: (why) => void (warnings as string[]).push(why),
  });
  await store.append(stopped(1, "z".repeat(500)));
  await store.close();
  await store.append(stopped(2));
  assert.match(
    warnings.join("\n"),
    /^no more of the events of job are recorded: NATS at \S+ refuses .* for it is too large/m,
  );
  await leadership.resign();
});
