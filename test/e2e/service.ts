/** A real service with real workers, as somebody starts it by hand. */
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { TestContext } from "node:test";
import { freeAddress } from "../freeport.ts";
import { lasting, type Outcome, type Running, type StartOptions, scratchFolder, start } from "./limbeck.ts";

export interface ServiceUnderTest {
  /** host:port, as of its pages. */
  readonly address: string;
  readonly http: string;
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
  const [address, http] = [await freeAddress(), await freeAddress()];
  const begin = async () => {
    const own = ["--state", join(scratch, "state"), "--listen", address, "--http", http];
    const running = start(["coordinator", ...own, "-o", "json", ...args], {}, lasting);
    t.after(() => void running.process.kill("SIGKILL"));
    for await (const line of createInterface(running.process.stdout!)) {
      if (line.includes('"event":"leading"')) break;
    }
    running.process.stdout!.resume();
    return running;
  };
  let running = await begin();
  const env = { LIMBECK_COORDINATOR: address };
  const command = (words: readonly string[], options: StartOptions) => start(words, env, options);
  const all = Array.from({ length: workers }, (_, at) => command(["worker", "--name", `worker-${at + 1}`], lasting));
  for (const worker of all) {
    t.after(async () => {
      worker.process.kill("SIGTERM");
      await worker.outcome;
    });
    worker.process.stdout!.resume();
  }
  return {
    address,
    http,
    scratch,
    coordinator: () => running,
    async kill() {
      for (const each of [running, ...all]) each.process.kill("SIGKILL");
      for (const each of [running, ...all]) await each.outcome;
    },
    async restart() {
      running.process.kill("SIGKILL");
      await running.outcome;
      running = await begin();
    },
    start: (...words) => command(words, lasting),
    ask: (...words) => command(words, {}).outcome,
  };
}
