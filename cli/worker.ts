/** `limbeck worker`: one worker as a process of its own. */
import { LimbeckError } from "../core/errors.ts";
import { runWorker } from "../worker/main.ts";
import { hasProcessEnvironment, runAgain } from "./children.ts";
import type { Endpoint } from "./coordinator.ts";

interface WorkerOptions {
  readonly coordinator: Endpoint;
  readonly role: string;
  readonly name: string;
  readonly listen: Endpoint;
}

export async function worker({ role, ...options }: WorkerOptions): Promise<void> {
  if (role !== "student" && role !== "teacher") {
    throw new LimbeckError("usage", `--role must be student or teacher, found ${role}`);
  }
  if (!hasProcessEnvironment()) {
    process.exitCode = await runAgain();
    return;
  }
  const leaving = new AbortController();
  const leave = (why: string) => leaving.abort(new LimbeckError("stopped", why));
  process.once("SIGTERM", () => leave("SIGTERM"));
  process.once("SIGINT", () => leave("SIGINT"));
  process.once("disconnect", () => leave("the process that started this worker has gone"));
  try {
    await runWorker({ ...options, role }, leaving.signal);
  } finally {
    // Who listens for the parent's end keeps the process alive.
    if (process.connected) process.disconnect();
  }
}
