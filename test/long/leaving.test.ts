/** A coordinator of one job that is told to leave, as Kubernetes does, and the next one. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { scratchFolder } from "../e2e/limbeck.ts";
import { coordinator, workers } from "../e2e/onejob.ts";
import { freeAddress } from "../freeport.ts";

test("a coordinator that leaves keeps its workers, and the next one goes on with them", {
  timeout: 180_000,
}, async (t) => {
  const folder = await scratchFolder(t);
  const address = await freeAddress();
  const job = [`--depot=file://${folder}/depot`, "--set=distil.epochs=40"];
  const first = await coordinator(t, join(folder, "first"), address, ...job);
  const joined = workers(t, address, "--leave-code=143", "--patience=60s", "--alone-code=3");
  await first.logged("checkpointed");
  first.process.kill("SIGTERM");
  assert.equal((await first.outcome).code, 143, (await first.outcome).stderr);
  const second = await coordinator(t, join(folder, "second"), address, ...job);
  assert.equal((await second.outcome).code, 0, (await second.outcome).stderr);
  for (const { outcome } of joined) assert.equal((await outcome).code, 0, (await outcome).stderr);
  assert.match((await second.outcome).stdout, /the job goes on from/);
});
