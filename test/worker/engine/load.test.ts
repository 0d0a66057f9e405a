/** An engine that would not compute what the job asks for does not load. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { engineEnvironment } from "../../../worker/engine/environment.ts";
import { installedEngine } from "../../../worker/engine/install.ts";
import { loadEngine } from "../../../worker/engine/load.ts";

const found = installedEngine("auto");
const skip = found.kind === "wasm" && found.why;

test("TensorFlow is refused where the process was not told the job's threads", { skip }, async () => {
  delete process.env["TF_NUM_INTRAOP_THREADS"];
  await assert.rejects(loadEngine("tensorflow", 2), { code: "internal", message: /is not set, .* 2 threads/ });
  Object.assign(process.env, engineEnvironment(1));
  await assert.rejects(loadEngine("tensorflow", 2), { code: "internal", message: /is 1, .* 2 threads/ });
});
