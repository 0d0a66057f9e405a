/** When a worker that has no job is lost: after its own silence, not the coordinator's, and whatever becomes of the machine's clock. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { openFolderStore } from "../../../coordinator/folder/store.ts";
import type { MessageOf } from "../../../coordinator/messages.ts";
import { Crowd } from "../../../coordinator/service/crowd.ts";
import { packageVersion } from "../../../proto/package.ts";
import { coordinatorClient } from "../../../proto/wire.ts";
import { Actor } from "../actor.ts";
import { bounded, scratch } from "../sessions.ts";
import { isLeading, service, until, view } from "./services.ts";

const hello: MessageOf<"hello"> = {
  ...{ kind: "hello", term: 0, worker: "w1", role: "auto", address: "", host: "", http: "", build: "", pid: 1 },
  ...{ instance: "i", life: "l", job: "", holds: [] },
};

test("a coordinator that stood still takes its own silence for nobody's", () => {
  let nowMs = 1_000;
  const refused: number[] = [];
  const rpc = {
    address: "",
    send() {},
    refuse: (session: number) => void refused.push(session),
    dismiss() {},
    async close() {},
  };
  const parts = { rpc: () => rpc, run: () => undefined, happen() {}, heartbeatMs: 250, now: () => nowMs };
  const crowd = new Crowd(parts);
  crowd.heard(1, hello);
  crowd.tick();
  nowMs += 60_000;
  crowd.tick();
  assert.deepEqual(refused, [], "what it said meanwhile comes yet");
  for (let ticks = 0; ticks < 19; ticks++) {
    nowMs += 250;
    crowd.tick();
  }
  assert.deepEqual(refused, [], "not yet 5 s");
  for (let ticks = 0; ticks < 2; ticks++) {
    nowMs += 250;
    crowd.tick();
  }
  assert.deepEqual(refused, [1]);
});

test("the machine's clock is set an hour ahead, and back: no worker is lost by that", bounded, async (t) => {
  const folder = await scratch(t);
  const leader = await service("one", folder, openFolderStore(folder));
  t.after(() => leader.close("the test is over"));
  await until(() => isLeading(leader));
  const client = coordinatorClient(leader.address);
  t.after(() => client.close());
  const stream = client.join();
  let refusal = "";
  stream.on("error", ({ message }) => {
    refusal ||= message;
  });
  stream.resume();
  const actor = new Actor("student-1", "student");
  stream.write(actor.hello(packageVersion));
  const beats = setInterval(() => stream.write(actor.heartbeat()), 200);
  t.after(() => clearInterval(beats));
  await until(async () => (await view(leader)).workers.all === 1);
  const machine = Date.now;
  t.after(() => {
    Date.now = machine;
  });
  for (const byMs of [3_600_000, -3_600_000]) {
    Date.now = () => machine() + byMs;
    await sleep(1_000); // Some ticks: at the first it would be too late.
    assert.deepEqual([refusal, (await view(leader)).workers.all], ["", 1]);
  }
});
