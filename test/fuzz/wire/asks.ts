/** Calls of somebody who means well. Each rejects where it is not answered. */

import type { JobStatus } from "../../../coordinator/status.ts";
import type { JobEntry } from "../../../core/jobentry.ts";
import { type Calling, coordinatorClient, jobsClient, peerChannel, rawPull } from "../../../proto/wire.ts";
import { patienceMs } from "./witness.ts";

const within = () => ({ deadline: Date.now() + patienceMs });

/** Over a connection of its own, as commands do. @param job its id, of a service */
export async function status(address: string, job = ""): Promise<JobStatus> {
  const client = coordinatorClient(address);
  try {
    return await new Promise((resolve, reject) => {
      client.status({ job }, within(), (error, reply) => {
        if (error) reject(error);
        else resolve(JSON.parse(reply!.status) as JobStatus);
      });
    });
  } finally {
    client.close();
  }
}

export async function list(address: string, calling: Calling = {}): Promise<readonly JobEntry[]> {
  const client = jobsClient(address, calling);
  try {
    return await new Promise((resolve, reject) => {
      client.list({}, within(), (error, reply) => {
        if (error) reject(error);
        else resolve(JSON.parse(reply!.jobs) as JobEntry[]);
      });
    });
  } finally {
    client.close();
  }
}

/** That a worker answers its peers: of a term that is over it says so. */
export async function pull(address: string): Promise<void> {
  const client = peerChannel(address);
  try {
    await new Promise<void>((resolve, reject) => {
      const { path, requestSerialize, responseDeserialize } = rawPull;
      const call = client.makeBidiStreamRequest(path, requestSerialize, responseDeserialize, within());
      call.on("error", reject).once("data", () => {
        resolve();
        call.cancel();
      });
      call.write({ term: 0, kind: "teacher", step: 0, slice: 0, host: "", deadlineMs: 1_000 });
    });
  } finally {
    client.close();
  }
}

/** @param address host:port of its pages */
export async function healthz(address: string): Promise<void> {
  const { status, statusText } = await fetch(`http://${address}/healthz`, { signal: AbortSignal.timeout(patienceMs) });
  if (status !== 200) throw new Error(`/healthz answered ${status} ${statusText}`);
}
