/** `limbeck coordinator`: the coordinator as a process of its own. */
import { readFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { startCoordinator } from "../coordinator/main.ts";
import { LimbeckError } from "../core/errors.ts";
import type { Job } from "../core/job.ts";
import { parseJob } from "../core/jobfile.ts";

export interface Endpoint {
  readonly host: string;
  readonly port: number;
}

interface CoordinatorOptions {
  readonly out: string;
  readonly set: readonly string[];
  readonly listen: Endpoint;
  readonly http: Endpoint;
}

/** Reads and checks a job file. Throws `usage` where it cannot be read, `bad_job` with one line per problem. */
export async function readJob(file: string, overrides: readonly string[]): Promise<Job> {
  let text: string;
  try {
    text = await readFile(file, "utf8");
  } catch (cause) {
    throw new LimbeckError("usage", `the job file ${file} cannot be read: ${(cause as Error).message}`, { cause });
  }
  return parseJob(text, file, overrides);
}

export async function coordinator(file: string, options: CoordinatorOptions): Promise<void> {
  const job = await readJob(file, options.set);
  const jobFolder = dirname(resolve(file));
  const running = await startCoordinator({
    job,
    jobFolder,
    runFolder: resolve(options.out),
    listen: options.listen,
    http: options.http,
  });
  if (process.send) process.send({ address: running.address, http: running.httpAddress });
  else process.stderr.write(`coordinator: workers join at ${running.address}; http://${running.httpAddress}/state\n`);
  const stop = (why: string) => void running.stop(why);
  process.once("SIGTERM", () => stop("the coordinator was told to stop (SIGTERM)"));
  process.once("SIGINT", () => stop("the coordinator was told to stop (SIGINT)"));
  process.once("disconnect", () => stop("the process that started the coordinator has gone"));
  const outcome = await running.finished;
  await running.close();
  if (process.connected) process.disconnect();
  if (outcome.kind === "failed") throw outcome.error;
}
