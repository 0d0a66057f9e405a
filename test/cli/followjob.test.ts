/** A job that is looked at for long is followed in silence. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { start } from "../e2e/limbeck.ts";
import { serve } from "../proto/fakecoordinator.ts";

test("who submits a job that is looked at again and again is told nothing but how it stands", {
  timeout: 60_000,
}, async (t) => {
  const most = 15; // More than the listeners that Node lets a signal have without a warning.
  let looks = 0;
  let events = 0;
  const { address } = await serve(t, {
    jobs: {
      Submit: (_, answer) => answer(null, { job: "a-0001", created: true, state: "queued", why: "" }),
      List(_, answer) {
        const state = ++looks < most ? "running" : "done";
        answer(null, { jobs: JSON.stringify([{ id: "a-0001", name: "a", state, why: "" }]) });
      },
    },
    coordinator: {
      // An event each time: who sees one looks again soon.
      Watch(call) {
        const event = { kind: "worker-left", worker: "w1", why: "", atMs: 1 };
        call.write({ event: JSON.stringify(event), after: ++events });
        call.end();
      },
    },
  });
  const command = start(["submit", "examples/smoke.yaml", "--coordinator", address]);
  const { code, stderr } = await command.outcome;
  assert.deepEqual([code, stderr, looks], [0, "", most]);
});
