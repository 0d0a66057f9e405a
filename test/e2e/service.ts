/** A real service with real workers, as somebody starts it by hand. */
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { TestContext } from "node:test";
import { freePort } from "../freeport.ts";
import { type Outcome, type Running, scratchFolder, start } from "./limbeck.ts";

export interface ServiceUnderTest {
  /** host:port */
  readonly address: string;
  readonly scratch: string;
  coordinator(): Running;
  /** kill -9, all of it. */
  kill(): Promise<void>;
  /** kill -9, and one on the same ports and folder. */
  restart(): Promise<void>;
  /** `limbeck ARGS…` of somebody whose environment names the service. */
  start(...args: string[]): Running;
  ask(...args: string[]): Promise<Outcome>;
}

/** @param workers idle ones, whose role the coordinator chooses */
export async function startedService(t: TestContext, workers: number, ...args: string[]): Promise<ServiceUnderTest> {
  const scratch = await scratchFolder(t);
  const [{ port }, http] = [await freePort(), await freePort()];
  const address = `127.0.0.1:${port}`;
  const begin = async () => {
    const own = ["--state", join(scratch, "state"), "--listen", address, "--http", `127.0.0.1:${http.port}`];
    const running = start(["coordinator", ...own, "-o", "json", ...args]);
    t.after(() => void running.process.kill("SIGKILL"));
    for await (const line of createInterface(running.process.stdout!)) {
      if (line.includes('"event":"leading"')) break;
    }
    running.process.stdout!.resume();
    return running;
  };
  let running = await begin();
  const env = { LIMBECK_COORDINATOR: address };
  const command = (...words: string[]) => start(words, env);
  const all = Array.from({ length: workers }, (_, at) => command("worker", "--name", `worker-${at + 1}`));
  for (const worker of all) {
    t.after(async () => {
      worker.process.kill("SIGTERM");
      await worker.outcome;
    });
    worker.process.stdout!.resume();
  }
  return {
    address,
    scratch,
    coordinator: () => running,
    async kill() {
      for (const each of [running, ...all]) each.process.kill("SIGKILL");
      for (const each of [running, ...all]) await each.outcome;
    },
    async restart() {
      running.process.kill("SIGKILL");
      await once(running.process, "exit");
      running = await begin();
    },
    start: command,
    ask: (...words) => command(...words).outcome,
  };
}
