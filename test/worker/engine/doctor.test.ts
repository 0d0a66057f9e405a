/** What doctor reports is what a worker would get, measured. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { LimbeckError } from "../../../core/errors.ts";
import { doctor } from "../../../worker/engine/doctor.ts";
import type { EngineChoice } from "../../../worker/engine/engine.ts";
import { hasNvidiaDriver } from "../../../worker/engine/hardware.ts";
import { installedEngine } from "../../../worker/engine/install.ts";

const found = installedEngine("auto");
const examine = (choice: EngineChoice) => doctor({ choice, threads: 2, log: () => undefined });

test("doctor measures wasm, on one thread whatever was asked for", async () => {
  const report = await examine("wasm");
  assert.deepEqual([report.backend, report.tensorflowVersion, report.gpu, report.threads], ["wasm", null, false, 1]);
  assert.equal(report.why, "asked for");
  assert.equal(report.node, process.versions.node);
  assert.match(report.device, /^CPU \(.+, 1 thread\)$/);
  assert.match(report.fingerprint, /^[0-9a-f]{16}$/);
  assert.ok(report.gflops > 0);
});

test("doctor measures tensorflow", { skip: found.kind === "wasm" && found.why }, async () => {
  const report = await examine("tensorflow");
  assert.deepEqual([report.backend, report.threads], ["tensorflow", 2]);
  assert.match(report.tensorflowVersion ?? "", /^\d+\.\d+\.\d+/);
  assert.notEqual(report.why, "");
  assert.ok(report.gflops > 0);
});

test("doctor says why there is no GPU", { skip: hasNvidiaDriver() && "this machine has a driver" }, async () => {
  await assert.rejects(examine("gpu"), (thrown) => {
    assert.ok(thrown instanceof LimbeckError);
    assert.equal(thrown.code, "engine_unavailable");
    assert.match(thrown.message, /no NVIDIA driver/);
    return true;
  });
});
