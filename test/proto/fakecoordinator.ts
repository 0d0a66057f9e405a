/** Coordinators that answer what a test wants, over real gRPC; and one that takes connections and says nothing. */
import { createServer, type Socket } from "node:net";
import type { TestContext } from "node:test";
import { Server, ServerCredentials } from "@grpc/grpc-js";
import type { CoordinatorHandlers } from "../../proto/gen/limbeck/v1/Coordinator.ts";
import type { JobsHandlers } from "../../proto/gen/limbeck/v1/Jobs.ts";
import { connectJobs, type Submission } from "../../proto/jobs.ts";
import { NotLeader } from "../../proto/notleader.ts";
import { statusOf } from "../../proto/status.ts";
import { givenAddresses } from "../../proto/whereabouts.ts";
import { coordinatorService, jobsService } from "../../proto/wire.ts";

export const submission: Submission = {
  job: "name: a",
  name: "",
  priority: 3,
  sources: [{ path: "a.ts", text: "1" }],
  by: "me",
  request: "r",
};

export interface Fake {
  readonly address: string;
  /** As kill -9 does: every connection breaks. */
  end(): void;
}

export async function serve(
  t: TestContext,
  {
    jobs,
    coordinator = {},
    port = 0,
  }: { jobs?: Partial<JobsHandlers>; coordinator?: Partial<CoordinatorHandlers>; port?: number },
): Promise<Fake> {
  const server = new Server();
  if (jobs) server.addService(jobsService, jobs as JobsHandlers);
  server.addService(coordinatorService, coordinator as CoordinatorHandlers);
  const bound = await new Promise<number>((resolve, reject) => {
    const done = (error: Error | null, port: number) => (error ? reject(error) : resolve(port));
    server.bindAsync(`127.0.0.1:${port}`, ServerCredentials.createInsecure(), done);
  });
  t.after(() => server.forceShutdown());
  return { address: `127.0.0.1:${bound}`, end: () => server.forceShutdown() };
}

export function standingBy(leader: string): Partial<JobsHandlers> {
  const error = new NotLeader(leader, `c2 stands by: ${leader === "" ? "nobody leads now" : `c1 at ${leader} leads`}`);
  return { List: (_, answer) => answer(statusOf(error)) };
}

export const empty: Partial<JobsHandlers> = { List: (_, answer) => answer(null, { jobs: "[]" }) };

export function client(t: TestContext, ...addresses: string[]) {
  const jobs = connectJobs(givenAddresses(addresses));
  t.after(() => jobs.close());
  return jobs;
}

/** As a process that is stopped, or a machine that is off without having said so. @returns host:port */
export async function frozen(t: TestContext): Promise<string> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
  });
  t.after(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return `127.0.0.1:${(server.address() as { port: number }).port}`;
}
