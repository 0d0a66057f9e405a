import assert from "node:assert/strict";
import { test } from "node:test";
import { fenceHeader, idHeader, publish } from "../../../coordinator/nats/publish.ts";
import { kindHeader, partHeader, readParts } from "../../../coordinator/nats/read.ts";
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
    { signal, what: "the test", take: (part) => void found.push(part) },
  );
  return found.map(({ sequence, fence, kind, part, parts }) => ({ sequence, fence, kind, part, parts }));
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
      for (const [id, part, text] of [
        ["c1", "1/1", "[10]"],
        ["c2", "1/2", "[9"],
      ] as const) {
        const headers = { [fenceHeader]: String(leadership.fence), [kindHeader]: "snapshot", [partHeader]: part };
        const message = { stream, subject, bytes: Buffer.from(text), id, expected, headers };
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
      bytes: Buffer.from("1"),
      id: header.get(idHeader),
      headers: { [fenceHeader]: String(old.fence) },
    };
    for (const expected of [sequence - 1, sequence]) {
      const outcome = await publish(nats, { ...again, expected }, { signal, what: "the test" });
      assert.deepEqual(outcome, { kind: "stored", sequence });
    }
    assert.deepEqual(await messages(nats), before);
    // Another leads, as after a stop of the first that its lease did not outlast.
    const { lead: leadNext, store } = await storeOn(t, [server.url]);
    void store;
    await old.resign();
    const next = await leadNext("new");
    const journal = await next.journal<number>("job");
    await journal.append(2);
    const late = { ...again, id: "late", expected: sequence };
    assert.equal((await publish(nats, late, { signal, what: "the test" })).kind, "refused");
    assert.deepEqual(await (await next.journal<number>("job")).records, [1, 2]);
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
