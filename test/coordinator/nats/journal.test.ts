import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout } from "node:timers/promises";
import { newAssembly, type Part } from "../../../coordinator/nats/entry.ts";
import { openNatsJournal } from "../../../coordinator/nats/journal.ts";
import { idHeader, publish } from "../../../coordinator/nats/publish.ts";
import { readParts } from "../../../coordinator/nats/read.ts";
import { journalStream, journalSubject } from "../../../proto/cluster.ts";
import type { Nats } from "../../../proto/nats.ts";
import { type NatsServer, startNats } from "../../natsserver.ts";
import { cluster, storeOn } from "./storeof.ts";

const { signal } = new AbortController();
const stream = journalStream(cluster);
const subject = journalSubject(cluster, "job");

/** What really lies in the stream. */
async function messages(nats: Nats) {
  const found: { sequence: number; fence: number; kind: string; part: number; parts: number }[] = [];
  await readParts(
    nats,
    { stream, subject, from: 1 },
    { signal, what: "the test", take: (part, sequence) => void found.push({ ...part, sequence }) },
  );
  return found.map(({ sequence, fence, kind, part, parts }) => ({ sequence, fence, kind, part, parts }));
}

/** The same connection; something happens after what is read, and before the first word that is published. */
function beforePublishing(nats: Nats, happens: () => Promise<void>): Nats {
  let happened: Promise<void> | null = null;
  const jetstream: Nats["connection"]["jetstream"] = (options) => {
    const client = nats.connection.jetstream(options);
    const publish: typeof client.publish = async (...message) => {
      happened ??= happens();
      await happened;
      return await client.publish(...message);
    };
    return new Proxy(client, { get: (target, key) => (key === "publish" ? publish : Reflect.get(target, key)) });
  };
  const connection = new Proxy(nats.connection, {
    get(target, key) {
      const own: unknown = key === "jetstream" ? jetstream : Reflect.get(target, key);
      return typeof own === "function" && key !== "jetstream" ? own.bind(target) : own;
    },
  });
  return { ...nats, connection };
}

let server: NatsServer;
test("on one server", async (t) => {
  server = await startNats(t, { lines: ["max_payload: 4096"] });

  await t.test("records outlive leaders, in order, however large; fences never go back", async (t) => {
    const { lead, nats } = await storeOn(t, [server.url]);
    const first = await lead();
    const journal = await first.journal<string>("job");
    const records = ["small", "x".repeat(20_000), "", "ä".repeat(5_000)];
    await Promise.all(records.map((each) => journal.append(each)));
    await first.resign();
    await assert.rejects(journal.append("late"), { code: "stale_term" });
    const second = await lead();
    assert.ok(second.fence > first.fence);
    const again = await second.journal<string>("job");
    assert.deepEqual(again.records, records);
    assert.equal(again.note, "");
    const fences = (await messages(nats)).map(({ fence }) => fence);
    assert.deepEqual(
      fences,
      fences.toSorted((a, b) => a - b),
    );
    await second.forget("job");
    assert.deepEqual(await messages(nats), []);
    await second.resign();
  });

  await t.test(
    "a snapshot stands for what was before it, also where that was not purged; a torn one was never",
    async (t) => {
      const { lead, nats } = await storeOn(t, [server.url]);
      const leadership = await lead();
      const journal = await leadership.journal<number>("job");
      for (const each of [1, 2, 3]) await journal.append(each);
      await journal.compact([6]);
      await journal.append(4);
      const kinds = (await messages(nats)).map(({ kind }) => kind);
      assert.deepEqual(kinds, ["snapshot", "record"]);
      // As a crash leaves them: a snapshot and nothing purged; then the first of two parts of one.
      let expected = (await messages(nats)).at(-1)!.sequence;
      for (const [id, parts, text] of [
        ["c1", 1, "[10]"],
        ["c2", 2, "[9"],
      ] as const) {
        const part: Part = { fence: leadership.fence, kind: "snapshot", part: 1, parts, bytes: Buffer.from(text) };
        const message = { stream, subject, part, id, expected };
        const outcome = await publish(nats, message, { signal, what: "the test" });
        assert.ok(outcome.kind === "stored");
        expected = outcome.sequence;
      }
      await leadership.resign();
      const next = await lead();
      const again = await next.journal<number>("job");
      assert.deepEqual(again.records, [10]);
      assert.match(again.note, /1 of the entries of the journal job were not written whole/);
      await again.append(11);
      assert.deepEqual(await (await next.journal<number>("job")).records, [10, 11]);
      await next.forget("job");
      await next.resign();
    },
  );

  await t.test("a message that is sent again, delayed or by who leads no more, changes nothing", async (t) => {
    const { lead, nats } = await storeOn(t, [server.url]);
    const old = await lead("old");
    const oldJournal = await old.journal<number>("job");
    await oldJournal.append(1);
    const before = await messages(nats);
    const { seq: sequence, header } = await (await nats.connection.jetstreamManager()).streams.getMessage(stream, {
      last_by_subj: subject,
    });
    const again = {
      stream,
      subject,
      part: { fence: old.fence, kind: "record", part: 1, parts: 1, bytes: Buffer.from("1") } as const,
      id: header.get(idHeader),
    };
    for (const expected of [sequence - 1, sequence]) {
      const outcome = await publish(nats, { ...again, expected }, { signal, what: "the test" });
      assert.deepEqual(outcome, { kind: "stored", sequence });
    }
    assert.deepEqual(await messages(nats), before);
    // Longer ago than the server remembers ids: it is found in the stream.
    const manager = await nats.connection.jetstreamManager();
    await manager.streams.update(stream, { duplicate_window: 100_000_000 });
    await setTimeout(300);
    const resent = await publish(nats, { ...again, expected: sequence - 1 }, { signal, what: "the test" });
    assert.deepEqual(resent, { kind: "stored", sequence });
    await old.resign();
    const next = await lead("new");
    const journal = await next.journal<number>("job");
    const late = { ...again, id: "late", expected: sequence };
    assert.equal((await publish(nats, late, { signal, what: "the test" })).kind, "refused", "it was fenced by opening");
    await journal.append(2);
    assert.deepEqual((await next.journal<number>("job")).records, [1, 2]);
    await next.forget("job");
    await next.resign();
  });

  await t.test("what the server has lost of what it had acknowledged is written again", async (t) => {
    const { lead, nats, warnings } = await storeOn(t, [server.url]);
    const leadership = await lead();
    const journal = await leadership.journal<number>("job");
    for (const each of [1, 2, 3]) await journal.append(each);
    const manager = await nats.connection.jetstreamManager();
    await manager.streams.deleteMessage(stream, (await messages(nats)).at(-1)!.sequence);
    await journal.append(4);
    assert.match(warnings.join(), /has lost entries of the journal job .* all 4 are written again/);
    await manager.streams.delete(stream);
    await journal.append(5);
    assert.deepEqual(await (await leadership.journal<number>("job")).records, [1, 2, 3, 4, 5]);
    await leadership.resign();
  });
});

test("a snapshot that is no list is told of by its sequence", { timeout: 60_000 }, async (t) => {
  const own = await startNats(t);
  const { lead, nats } = await storeOn(t, [own.url]);
  const leadership = await lead();
  for (const [name, text] of Object.entries({ object: "{}", text: '"abc"', torn: "[1" })) {
    const place = { stream, subject: journalSubject(cluster, name) };
    const part: Part = { fence: 1, kind: "snapshot", part: 1, parts: 1, bytes: Buffer.from(text) };
    const outcome = await publish(nats, { ...place, part, id: name, expected: 0 }, { signal, what: "the test" });
    assert.ok(outcome.kind === "stored");
    const message = `message ${outcome.sequence} of ${stream} is no snapshot of the journal ${name}`;
    await assert.rejects(leadership.journal(name), { code: "corrupt", message });
  }
  await leadership.resign();
});

test("who opens a journal for a while waits no longer, whatever the server does", { timeout: 60_000 }, async (t) => {
  const own = await startNats(t);
  const { lead } = await storeOn(t, [own.url]);
  const leadership = await lead();
  const patience = AbortSignal.timeout(3_000);
  const opened = await leadership.journal<number>("opened", patience);
  own.pause();
  const waiting = [leadership.journal<number>("new", patience), opened.compact([])];
  for (const each of waiting) await assert.rejects(each, { name: "TimeoutError" });
  own.resume();
  await leadership.resign();
});

test("a journal that is purged between what is read of it and the first word is opened empty", {
  timeout: 60_000,
}, async (t) => {
  const own = await startNats(t);
  const { lead, nats } = await storeOn(t, [own.url]);
  const leadership = await lead();
  const before = await leadership.journal<number>("job");
  for (const each of [1, 2, 3]) await before.append(each);
  const manager = await nats.connection.jetstreamManager();
  const purging = beforePublishing(nats, async () => {
    await manager.streams.purge(stream, { filter: subject });
  });
  const journal = await openNatsJournal<number>(purging, {
    ...{ stream, subject, name: "job", fence: leadership.fence, signal, held: async () => {} },
    ensureStream: async () => {},
    warn: assert.fail,
  });
  assert.deepEqual(journal.records, []);
  await journal.append(4);
  assert.deepEqual((await leadership.journal<number>("job")).records, [4]);
  await leadership.resign();
});

test("of an entry of which parts are missing there was none, whichever they are", () => {
  const part = (part: number, parts: number, text: string): Part => ({
    fence: 1,
    kind: "record",
    part,
    parts,
    bytes: Buffer.from(text),
  });
  const assembly = newAssembly();
  const said = [part(2, 3, "b"), part(3, 3, "c"), part(1, 2, "d"), part(1, 2, "e"), part(2, 2, "f"), part(1, 2, "g")];
  assert.deepEqual(
    said.map((each) => assembly.add(each)?.text ?? null),
    [null, null, null, null, "ef", null],
  );
  assert.equal(assembly.torn, 2);
});
