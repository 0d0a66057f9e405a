/** A worker by itself, prepared as for a job but joined to none: for what is asked about a job before it runs. */
import type { Job } from "../core/job.ts";
import type { ReportedEngine } from "../core/report.ts";
import type { Welcome__Output } from "../proto/gen/limbeck/v1/Welcome.ts";
import { silent } from "../proto/telemetry/log.ts";
import type { Device } from "./compute/device.ts";
import { newStatus, type WorkerContext, withDataset } from "./context.ts";
import { WorkerMetrics } from "./metrics.ts";
import { openDevice, prepareWorker } from "./preparation.ts";
import { openServices } from "./services.ts";

export interface Solo {
  readonly context: WorkerContext;
  readonly engine: Pick<ReportedEngine, "backend" | "device" | "gpu">;
  close(): Promise<void>;
}

/**
 * Loads engine and dataset, and listens on loopback.
 * @param runFolder where nothing need be
 * @throws what a worker of the job fails of when it gets prepared
 */
export async function openSolo(job: Job, jobFolder: string, runFolder: string): Promise<Solo> {
  const welcome = soloWelcome(job, jobFolder, runFolder);
  const device = openDevice(welcome);
  try {
    const solo = await soloOn(device, welcome);
    const close = async () => {
      await solo.close();
      await device.close();
    };
    return { ...solo, close };
  } catch (thrown) {
    await device.close();
    throw thrown;
  }
}

/** Of a coordinator that is not there. */
export function soloWelcome(job: Job, jobFolder: string, runFolder: string): Welcome__Output {
  const told = { job: JSON.stringify(job), jobFolder, runFolder, heartbeatMs: 0, role: "student", rejoined: false };
  return { ...told, jobId: "", depot: "", depotFolder: "", sources: [], again: false };
}

/** With a compute thread that is the caller's to close. */
export async function soloOn(device: Device, welcome: Welcome__Output): Promise<Solo> {
  const [metrics, log] = [new WorkerMetrics(), silent];
  const services = await openServices({ listen: { host: "127.0.0.1", port: 0 }, metrics, log });
  try {
    const status = newStatus("");
    const own = { name: "this process", role: "student", services, status, device, metrics, log } as const;
    const { context, prepared } = await prepareWorker(welcome, own);
    const { backend = "", device: name = "", gpu = false } = prepared.engine!;
    return {
      context: withDataset(context),
      engine: { backend, device: name, gpu },
      close: async () => services.close(),
    };
  } catch (thrown) {
    services.close();
    throw thrown;
  }
}
