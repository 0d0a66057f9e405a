/** The stream of an open page, over real HTTP: everything first, then what is new, and what was missed on coming back. */
import assert from "node:assert/strict";
import type { ServerResponse } from "node:http";
import { type TestContext, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { Delta, Snapshot } from "../../../core/live/message.ts";
import { sending } from "../../hostilehttp.ts";
import { bounded } from "../sessions.ts";
import { at, serveCrowd, started, statusOf, stepped, warned } from "./crowded.ts";

interface Message {
  readonly id: string;
  readonly event: string;
  readonly data: Snapshot & Delta;
}

test("first everything, then what is new; who comes back gets what it missed", bounded, async (t) => {
  let step = 2;
  const { address, log } = await serveCrowd(t, [started(4), stepped(1), stepped(2)], {
    status: () => statusOf(3, step),
  });
  const first = read(t, address);
  const snapshot = await next(first);
  assert.equal(snapshot.event, "snapshot");
  assert.deepEqual(snapshot.data.history.stages[0]!.curves.step, [1, 2]);
  assert.equal(snapshot.data.job.job, "crowd");
  const shown = ["job", "softTargets", "split", "stage", "state", "step", "steps", "term", "waitingFor", "why"];
  assert.deepEqual(Object.keys(snapshot.data.job).sort(), shown, "of the status what is shown, no more");
  assert.deepEqual(snapshot.data.workers.map(({ worker, lanes }) => [worker, lanes]).at(-1), ["worker-3", 1]);

  step = 3;
  log.append(at(3, { kind: "worker-status", worker: "worker-1", doing: "", waitingFor: "", residentBytes: 1 }));
  log.append(stepped(3));
  const delta = await next(first, ({ data }) => data.next === 5);
  assert.equal(delta.event, "delta");
  assert.deepEqual(delta.data.events, [[4, stepped(3)]], "numbers count what is not sent, too");

  const missed = await next(read(t, address, { "last-event-id": snapshot.id }));
  assert.equal(missed.event, "delta");
  assert.deepEqual(missed.data.events, [[4, stepped(3)]]);
  assert.equal(missed.data.gone, null);
  assert.equal(missed.data.workers.length, 3);
  const asked = await next(read(t, address, {}, `?after=${snapshot.id}`));
  assert.deepEqual(asked.data.events, missed.data.events);

  const [run] = snapshot.id.split("-");
  for (const strange of ["", "1-1", `${run}-99`, "nonsense"]) {
    const { event } = await next(read(t, address, { "last-event-id": strange }));
    assert.equal(event, "snapshot", `after ${strange}, which is no place in this run`);
  }
});

test("who missed too much begins anew", bounded, async (t) => {
  const events = [started(4), ...Array.from({ length: 5_000 }, (_, at) => stepped(at + 1))];
  const { address } = await serveCrowd(t, events, { status: () => statusOf(1, 1) });
  await next(read(t, address), hasHeard(events.length));
  const place = (count: number) => `${events[0]!.atMs}-${count}`;
  assert.equal((await next(read(t, address, { "last-event-id": place(10) }))).event, "snapshot");
  assert.equal((await next(read(t, address, { "last-event-id": place(4_990) }))).event, "delta");
});

/** A crowd's feed, and somebody who asks for it and does not read. */
async function withSlowReader(t: TestContext) {
  const responses: ServerResponse[] = [];
  const served = await serveCrowd(t, [started(4)], {
    status: () => statusOf(1, 1),
    heed(_, response, open) {
      responses.push(response);
      open();
    },
  });
  const slow = sending(served.address, `GET /events HTTP/1.1\r\nhost: ${served.address}\r\n\r\n`).pause();
  t.after(() => slow.destroy());
  return { ...served, slow, responses };
}

test("a reader that does not read holds nobody up, and gets everything anew", { timeout: 60_000 }, async (t) => {
  const { address, log, slow, responses } = await withSlowReader(t);
  const quick = read(t, address);
  await next(quick);
  // Long for the wire, and a short line in the history.
  const finding = { check: "models", severity: "ok", message: "x".repeat(20_000), evidence: {} } as const;
  let most = 0;
  for (let turn = 0; turn < 14; turn++) {
    for (let each = 0; each < 100; each++) {
      log.append(at(turn, { kind: "diagnosed", worker: "worker-1", stage: "teach", findings: [finding] }));
    }
    await next(quick, hasHeard(log.events.length));
    most = Math.max(most, ...responses.map(({ writableLength }) => writableLength));
  }
  assert.ok(most < 5_000_000, `${most} of 28,000,000 bytes wait for it`);
  let heard = "";
  slow.setEncoding("utf8").on("data", (text: string) => {
    heard = (heard + text).slice(-2_000_000);
  });
  slow.resume();
  log.append(warned(99, "the end"));
  await next(quick, hasHeard(log.events.length));
  const isAnew = () => heard.lastIndexOf("event: snapshot") > 0 && heard.includes("the end");
  while (!isAnew()) await new Promise((resolve) => slow.once("data", resolve));
});

test("after the end nothing is said to who has yet to read", bounded, async (t) => {
  const { log, feed, responses } = await withSlowReader(t);
  while (responses.length === 0) await sleep(10);
  const [response] = responses;
  let trouble = "";
  response!.on("error", ({ message }) => {
    trouble = message;
  });
  // More than the wire holds is due to it.
  response!.write(`: ${"x".repeat(32 << 20)}\n\n`);
  log.append(warned(1, "the last but one"));
  feed.close();
  log.append(warned(2, "after the end"));
  await sleep(1_200);
  assert.equal(trouble, "");
});

async function* read(
  t: TestContext,
  address: string,
  headers: Record<string, string> = {},
  query = "",
): AsyncGenerator<Message> {
  const gone = new AbortController();
  t.after(() => gone.abort());
  // Asked for its head alone, it ends.
  await (
    await fetch(`http://${address}/events${query}`, { method: "HEAD", signal: AbortSignal.timeout(5_000) })
  ).text();
  const response = await fetch(`http://${address}/events${query}`, { headers, signal: gone.signal });
  assert.equal(response.headers.get("content-type"), "text/event-stream");
  let text = "";
  for await (const part of response.body!.pipeThrough(new TextDecoderStream())) {
    text += part;
    for (let end = text.indexOf("\n\n"); end >= 0; end = text.indexOf("\n\n")) {
      const fields = Object.fromEntries(
        text
          .slice(0, end)
          .split("\n")
          .map((line) => line.split(/: ?(.*)/s).slice(0, 2)),
      );
      text = text.slice(end + 2);
      if (fields["data"]) yield { id: fields["id"], event: fields["event"], data: JSON.parse(fields["data"]) };
    }
  }
}

/** Of what any message tells of the history. */
const hasHeard =
  (count: number) =>
  ({ data }: Message) =>
    (data.history?.next ?? data.next) === count;

async function next(messages: AsyncGenerator<Message>, isMeant: (message: Message) => boolean = () => true) {
  for (;;) {
    const { value, done } = await messages.next();
    assert.ok(!done, "the stream ended");
    if (isMeant(value)) return value;
  }
}
