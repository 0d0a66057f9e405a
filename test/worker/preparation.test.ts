/** A teacher that has not opened the dataset, and a coordinator that comes back with a job that wants it opened. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { silent } from "../../proto/telemetry/log.ts";
import type { Device } from "../../worker/compute/device.ts";
import { newStatus, type WorkerContext, withDataset } from "../../worker/context.ts";
import { WorkerMetrics } from "../../worker/metrics.ts";
import { adopt } from "../../worker/preparation.ts";
import type { Services } from "../../worker/services.ts";
import { smokeJob } from "./foreman.ts";

const sent = smokeJob("softTargets.inputs=tensors");

function blind(): WorkerContext<null> {
  const parts = { device: {} as Device, services: {} as Services, status: newStatus(""), trained: new Map() };
  const telling = { metrics: new WorkerMetrics(), log: silent };
  return {
    job: sent,
    jobFolder: "/a",
    runFolder: "/b",
    name: "teacher-1",
    dataset: null,
    depot: null,
    ...parts,
    ...telling,
  };
}

const welcomed = (job: object) => ({
  ...{ job: JSON.stringify(job), jobFolder: "/c", runFolder: "/d" },
  ...{
    heartbeatMs: 250,
    role: "teacher",
    rejoined: true,
    jobId: "",
    depot: "",
    depotFolder: "",
    sources: [],
    again: false,
  },
});

test("a job that still sends inputs is gone on with", () => {
  const context = blind();
  adopt(context, welcomed(smokeJob("softTargets.inputs=tensors", "softTargets.aheadBytes=9")));
  assert.deepEqual([context.job.softTargets.aheadBytes, context.jobFolder, context.runFolder], [9, "/c", "/d"]);
});

test("one that does not is refused, with what to do", () => {
  assert.throws(() => adopt(blind(), welcomed(smokeJob())), {
    code: "unavailable",
    message: "softTargets.inputs is ids now, and this teacher has not opened the dataset: start the worker anew",
  });
});

test("without the dataset nobody trains", () => {
  assert.throws(() => withDataset(blind()), { message: /teacher-1 has not opened the dataset/ });
});
