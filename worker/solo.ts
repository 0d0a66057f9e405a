/** A worker by itself, prepared as for a job but joined to none: for what is asked about a job before it runs. */
import type { Job } from "../core/job.ts";
import type { ReportedEngine } from "../core/report.ts";
import { silent } from "../proto/telemetry/log.ts";
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
  const told = { jobFolder, runFolder, heartbeatMs: 0, role: "student", rejoined: false };
  const welcome = {
    job: JSON.stringify(job),
    ...told,
    jobId: "",
    depot: "",
    depotFolder: "",
    sources: [],
    again: false,
  };
  const [metrics, log] = [new WorkerMetrics(), silent];
  const services = await openServices({ listen: { host: "127.0.0.1", port: 0 }, metrics, log });
  const device = openDevice(welcome);
  const close = async () => {
    services.close();
    await device.close();
  };
  try {
    const status = newStatus("");
    const own = { name: "this process", role: "student", services, status, device, metrics, log } as const;
    const { context, prepared } = await prepareWorker(welcome, own);
    const { backend = "", device: name = "", gpu = false } = prepared.engine!;
    return { context: withDataset(context), engine: { backend, device: name, gpu }, close };
  } catch (thrown) {
    await close();
    throw thrown;
  }
}
