/** The processes of a benchmark of the service. */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { jobsClient } from "../../proto/wire.ts";
import type { CoordinatorReady, Usage } from "./coordinator.ts";

const answerMs = 120_000;

export interface RunningCoordinator extends CoordinatorReady {
  readonly pid: number;
  usage(): Promise<Usage>;
  close(): Promise<void>;
  /** kill -9 */
  kill(): Promise<void>;
}

/** @param nats a URL; empty for the folder */
export async function startCoordinator(state: string, nats = ""): Promise<RunningCoordinator> {
  const options = (process.env["BENCH_NODE_OPTIONS"] ?? "").split(" ").filter((option) => option !== "");
  const child = startChild("coordinator.js", [state, nats], options);
  const ready = await answerOf<CoordinatorReady>(child);
  return {
    ...ready,
    pid: child.pid!,
    async usage() {
      child.send("usage");
      return await answerOf<Usage>(child);
    },
    async close() {
      child.send("close");
      await once(child, "exit");
    },
    async kill() {
      child.kill("SIGKILL");
      await once(child, "exit");
    },
  };
}

/** @param file of this folder, compiled */
export function startChild(file: string, args: readonly string[], execArgv: readonly string[] = []): ChildProcess {
  return fork(fileURLToPath(new URL(file, import.meta.url)), args, { execArgv: [...execArgv] });
}

/** The next message of the child; rejects where it ends, or is silent for two minutes. */
export async function answerOf<T>(child: ChildProcess): Promise<T> {
  const over = new AbortController();
  const { signal } = over;
  const late = AbortSignal.any([signal, AbortSignal.timeout(answerMs)]);
  try {
    const ended = once(child, "exit", { signal: late }).then(([code]) => {
      throw new Error(`a process of the benchmark ended with ${code}`);
    });
    ended.catch(() => {});
    const [message] = await Promise.race([once(child, "message", { signal: late }), ended]);
    return message as T;
  } finally {
    over.abort();
  }
}

/** Calls of the gRPC service of jobs, as promises. */
export function openJobs(address: string) {
  const client = jobsClient(address);
  const call = <Q, A>(method: (request: Q, done: (error: Error | null, answer?: A) => void) => unknown) => {
    const bound = method.bind(client);
    return (request: Q) =>
      new Promise<A>((resolve, reject) => {
        bound(request, (error, answer) => (error ? reject(error) : resolve(answer!)));
      });
  };
  return {
    submit: call<object, { job: string }>(client.submit as never),
    list: call<object, { jobs: string }>(client.list as never),
    control: call<object, object>(client.control as never),
    close: () => client.close(),
  };
}
