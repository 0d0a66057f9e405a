/** A command whose question was heard, and whose answer never came, says what is not known. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { start } from "../e2e/limbeck.ts";
import { serve } from "../proto/fakecoordinator.ts";

test("who deletes or submits and hears nothing is told that it may have been done, and may be asked again", {
  timeout: 60_000,
}, async (t) => {
  const entry = { id: "a-0001", name: "a", state: "done", why: "" };
  const { address } = await serve(t, {
    jobs: {
      List: (_, answer) => answer(null, { jobs: JSON.stringify([entry]) }),
      // They hear it.
      Control: () => {},
      Submit: () => {},
    },
  });
  const command = (...args: string[]) => start([...args, "--coordinator", address]).outcome;
  const [deleted, submitted] = await Promise.all([command("delete", "a"), command("submit", "examples/smoke.yaml")]);
  const says = (what: string) =>
    new RegExp(`no answer in time: ${what} is not known\\. The same command again is safe: `);
  assert.equal(deleted.code, 1);
  assert.match(deleted.stderr, says("whether the job was deleted"));
  assert.equal(submitted.code, 1);
  assert.match(submitted.stderr, says("whether the job was taken"));
});
