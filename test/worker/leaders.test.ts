/** Whom a worker obeys (L3), also where the store has lost all and the fences begin anew. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { heed, type Leaders, noLeader, outlivedMs } from "../../worker/leaders.ts";
import { bounded, foreman, startWorker } from "./foreman.ts";

/** @param said fence and time of each word */
function heard(...said: readonly (readonly [fence: number, atMs: number])[]): string[] {
  let leaders: Leaders = noLeader;
  return said.map(([fence, atMs]) => {
    const [next, how] = heed(leaders, fence, atMs);
    leaders = next;
    return `${how} ${next.fence}`;
  });
}

test("the newest leader is obeyed, and none that it replaced", () => {
  assert.deepEqual(heard([3, 0], [3, 1], [7, 2], [3, 3], [7, 4]), [
    "obeyed 3",
    "obeyed 3",
    "obeyed 7",
    "replaced 7",
    "obeyed 7",
  ]);
});

test("an older one is obeyed when for ten seconds no other was heard, and then counts as the newest", () => {
  const [late, early] = [5 + outlivedMs, 4 + outlivedMs];
  assert.deepEqual(heard([7, 0], [1, 5], [1, early], [1, late], [1, late + 1]).slice(1), [
    "replaced 7",
    "replaced 7",
    "anew 1",
    "obeyed 1",
  ]);
  const again = heard([7, 0], [1, 5], [7, early], [1, late], [2, late + outlivedMs - 1]);
  assert.deepEqual(again.slice(3), ["replaced 7", "replaced 7"], "the newest has spoken: the time begins anew");
});

test(
  "JetStream has lost all: the worker leaves the leader of the lower fence again and again, then joins it anew",
  bounded,
  async (t) => {
    const coordinator = await foreman(t);
    startWorker(t, coordinator.address);
    const hellos = () => coordinator.heard.flatMap(({ message: { hello } }) => hello ?? []);
    const say = (fence: number) =>
      coordinator.send({ term: 0, fence, idle: { heartbeatMs: 100, why: "a test" }, body: "idle" });
    await coordinator.hear("hello");
    say(7);
    await coordinator.hear("heartbeat");
    const [first] = hellos();
    const sinceMs = performance.now();
    say(1);
    for (let sessions = 1; hellos().at(-1)!.instance === first!.instance; await sleep(20)) {
      if (hellos().length === sessions) continue;
      sessions = hellos().length;
      say(1);
    }
    assert.ok(performance.now() - sinceMs >= outlivedMs, "not before nobody else was heard for so long");
    assert.ok(hellos().length > 3, "it has looked for the other leader meanwhile");
    const sessions = hellos().length;
    const beats = () => coordinator.heard.filter(({ message }) => message.body === "heartbeat").length;
    say(1);
    for (const before = beats(); beats() < before + 5; ) await sleep(20);
    assert.equal(hellos().length, sessions, "it stays");
  },
);
