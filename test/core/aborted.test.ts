import assert from "node:assert/strict";
import { getEventListeners } from "node:events";
import { test } from "node:test";
import { unlessAborted } from "../../core/aborted.ts";

test("what was waited for beside a signal leaves no listener there, however it ended", async () => {
  const { signal } = new AbortController();
  assert.equal(await unlessAborted(Promise.resolve(7), signal), 7);
  await assert.rejects(unlessAborted(Promise.reject(new Error("no")), signal), { message: "no" });
  assert.deepEqual(getEventListeners(signal, "abort"), []);
});

test("the signal's reason ends the wait, also where it came before", async () => {
  const never = new Promise(() => {});
  const controller = new AbortController();
  const waiting = unlessAborted(never, controller.signal);
  controller.abort(new Error("enough"));
  await assert.rejects(waiting, { message: "enough" });
  await assert.rejects(unlessAborted(never, controller.signal), { message: "enough" });
});
