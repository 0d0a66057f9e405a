/** A coordinator of the smoke job and workers of it, as processes that are started one by one. */
import { createInterface } from "node:readline";
import type { TestContext } from "node:test";
import { packagePath } from "../../proto/package.ts";
import { lasting, type Running, start } from "./limbeck.ts";

export const codes = ["--failed-code=3", "--leave-code=143"];

export interface Begun extends Running {
  readonly address: string;
  /** Resolves when its log has an event of that name. */
  logged(event: string): Promise<void>;
}

/** A coordinator of the smoke job, on an address that the next one of it has, too. */
export async function coordinator(t: TestContext, folder: string, address: string, ...args: string[]): Promise<Begun> {
  const job = packagePath("examples/smoke.yaml");
  const places = [`--state=${folder}`, `--listen=${address}`, "--http=127.0.0.1:0"];
  const small = ["--set=workers.students=1", "--set=softTargets.cache=false", "--set=baseline=false"];
  const running = start(["coordinator", job, ...places, ...codes, ...small, "--output=json", ...args], {}, lasting);
  t.after(() => void running.process.kill("SIGKILL"));
  const seen = new Set<string>();
  const heard = new Map<string, () => void>();
  createInterface({ input: running.process.stdout! }).on("line", (line) => {
    const { event } = JSON.parse(line) as { event: string };
    seen.add(event);
    heard.get(event)?.();
  });
  const logged = async (event: string) => {
    if (!seen.has(event)) await new Promise<void>((resolve) => heard.set(event, resolve));
  };
  return { ...running, address, logged };
}

export function workers(t: TestContext, address: string, ...args: string[]): Running[] {
  return ["student", "teacher"].map((role) => {
    const who = [`--coordinator=${address}`, `--role=${role}`, `--name=${role}`];
    const running = start(["worker", ...who, ...args], {}, lasting);
    t.after(() => void running.process.kill("SIGTERM"));
    return running;
  });
}
