/** A coordinator in the hands of a test: the real gRPC service, its messages given out one by one; and real workers for it. */
import { type ChildProcess, spawn } from "node:child_process";
import { EventEmitter, on, once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { Server, ServerCredentials, type ServerDuplexStream } from "@grpc/grpc-js";
import type { Job } from "../../core/job.ts";
import { parseJob } from "../../core/jobfile.ts";
import type { FromWorker__Output } from "../../proto/gen/limbeck/v1/FromWorker.ts";
import type { ToWorker } from "../../proto/gen/limbeck/v1/ToWorker.ts";
import { packagePath } from "../../proto/package.ts";
import { coordinatorService, serverOptions } from "../../proto/wire.ts";
import { processEnvironment } from "../../worker/engine/environment.ts";

/** For everything a worker is asked for: a test that hangs says where. */
export const bounded = { timeout: 60_000 };

export type Body = NonNullable<FromWorker__Output["body"]>;

export interface Heard {
  readonly message: FromWorker__Output;
  readonly atMs: number;
}

export interface Foreman {
  /** host:port */
  readonly address: string;
  /** All that the worker has said. */
  readonly heard: readonly Heard[];
  /** The first message of a kind, once it is there. */
  hear(body: Body): Promise<FromWorker__Output>;
  send(message: ToWorker): void;
}

/** Serves one worker. */
export async function foreman(test: TestContext): Promise<Foreman> {
  const server = new Server(serverOptions);
  const heard: Heard[] = [];
  const arrivals = new EventEmitter();
  let session: ServerDuplexStream<FromWorker__Output, ToWorker> | undefined;
  const join = (stream: ServerDuplexStream<FromWorker__Output, ToWorker>) => {
    session = stream;
    stream.on("data", (message: FromWorker__Output) => {
      heard.push({ message, atMs: performance.now() });
      arrivals.emit("message");
    });
    stream.on("end", () => stream.end());
    stream.on("error", () => {});
  };
  server.addService(coordinatorService, { Join: join });
  const port = await new Promise<number>((resolve, reject) => {
    const bound = (error: Error | null, port: number) => (error ? reject(error) : resolve(port));
    server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), bound);
  });
  test.after(() => server.forceShutdown());
  return {
    address: `127.0.0.1:${port}`,
    heard,
    async hear(body) {
      const find = () => heard.find(({ message }) => message.body === body || message.body === "failed")?.message;
      const more = on(arrivals, "message");
      for (let found = find(); ; found = find()) {
        if (found?.body === body) return found;
        if (found) throw new Error(`the worker failed: ${found.failed!.message}`);
        await more.next();
      }
    },
    send: (message) => void session!.write(message),
  };
}

/** The smoke job with changes, as the command line's --set makes them; its soft targets are asked for, not cached. */
export function smokeJob(...overrides: string[]): Job {
  const file = packagePath("examples/smoke.yaml");
  return parseJob(readFileSync(file, "utf8"), file, ["softTargets.cache=false", ...overrides]);
}

export function welcome(job: Job, runFolder: string, heartbeatMs = 1000): ToWorker {
  const jobFolder = packagePath("examples");
  return { term: 0, welcome: { job: JSON.stringify(job), jobFolder, runFolder, heartbeatMs }, body: "welcome" };
}

/** The stage `teach` for one student, which has all lanes. */
export function assignTeach(
  job: Job,
  steps: number,
  student: { worker: string; address: string; host: string },
): ToWorker {
  const member = { ...student, firstLane: 0, lanes: job.lanes.count };
  const assign = { stage: "teach", steps, students: [member], teachers: [], teacherSha256: "", why: "a test" };
  return { term: 1, assign, body: "assign" };
}

export interface WorkerRun {
  readonly process: ChildProcess;
  readonly ended: Promise<{ code: number | null; stderr: string }>;
}

/** A real worker process, with the environment that `limbeck run` gives it. */
export function startWorker(test: TestContext, coordinator: string, ...args: string[]): WorkerRun {
  return startBareWorker(test, processEnvironment(), ["--coordinator", coordinator, ...args]);
}

/** A real worker process with an environment of its own on top of ours. */
export function startBareWorker(test: TestContext, env: Record<string, string>, args: readonly string[]): WorkerRun {
  const main = ["--enable-source-maps", packagePath("dist/cli/main.js")];
  const argv = [...main, "worker", "--role", "student", "--name", "student-1", ...args];
  const child = spawn(process.execPath, argv, { stdio: ["ignore", "ignore", "pipe"], env: { ...process.env, ...env } });
  test.after(() => void child.kill("SIGKILL"));
  let stderr = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
  });
  const ended = once(child, "close").then(([code]) => ({ code: code as number | null, stderr }));
  return { process: child, ended };
}

export function scratchFolder(test: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "limbeck-test-"));
  test.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
