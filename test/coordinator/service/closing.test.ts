/** A coordinator that is told to close closes, whatever it waits for at the moment. */
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { openFolderStore } from "../../../coordinator/folder/store.ts";
import { openNatsStore } from "../../../coordinator/nats/store.ts";
import { LimbeckError } from "../../../core/errors.ts";
import { connectNats } from "../../../proto/nats.ts";
import { scratchFolder } from "../../e2e/limbeck.ts";
import { startNats } from "../../natsserver.ts";
import { isLeading, jobFile, service, submit, until, withJournals } from "./services.ts";

/** Far more than it takes: what does not close in it hangs. */
const hangsMs = 15_000;

async function closes(t: TestContext, closing: Promise<void>): Promise<void> {
  const beganMs = performance.now();
  const patience = new AbortController();
  const late = sleep(hangsMs, "late", { signal: patience.signal }).catch(() => "");
  assert.notEqual(await Promise.race([closing, late]), "late", `not closed in ${hangsMs / 1000} s`);
  patience.abort();
  t.diagnostic(`closed after ${Math.round(performance.now() - beganMs)} ms`);
}

test("it closes while NATS is away: between two decisions, in an append, and for longer than the lease lasts", async (t) => {
  for (const waitsFor of ["the lease", "an append"]) {
    const server = await startNats(t);
    const nats = await connectNats({ urls: [server.url], name: "closing" });
    t.after(() => nats.close());
    const leader = await service(
      "one",
      await scratchFolder(t),
      openNatsStore({ nats, cluster: "closing", ttlMs: 1_000 }),
    );
    await until(() => isLeading(leader));
    server.pause();
    const asked = waitsFor === "an append" ? submit(leader, { job: jobFile }).catch(() => "") : null;
    await sleep(waitsFor === "an append" ? 100 : 1_500);
    await closes(t, leader.close("a test asks"));
    await asked;
    server.resume();
  }
});

test("it closes while it opens what earlier leaders decided", async (t) => {
  const folder = await scratchFolder(t);
  const gate = new AbortController();
  let isOpening = false;
  const slow = withJournals(openFolderStore(folder), async (_, open) => {
    const journal = await open();
    isOpening = true;
    await sleep(hangsMs, undefined, { signal: gate.signal }).catch(() => {});
    return journal;
  });
  const leader = await service("one", folder, slow);
  await until(async () => isOpening);
  const closing = leader.close("a test asks");
  gate.abort();
  await closes(t, closing);
});

test("a journal that says that it leads no more is opened again now and then, and it closes meanwhile", async (t) => {
  const folder = await scratchFolder(t);
  let attempts = 0;
  const fenced = withJournals(openFolderStore(folder), async () => {
    attempts += 1;
    throw new LimbeckError("stale_term", "a newer leader writes it");
  });
  const leader = await service("one", folder, fenced);
  await until(async () => attempts > 1);
  const [before, beganMs] = [attempts, performance.now()];
  await sleep(1_000);
  const each = (performance.now() - beganMs) / (attempts - before || 1);
  assert.ok(each > 50, `one attempt in ${each.toFixed(1)} ms`);
  await closes(t, leader.close("a test asks"));
});
