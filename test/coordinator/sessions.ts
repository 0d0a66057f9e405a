/** A real coordinator on loopback, and actors that join it over real gRPC sessions. */
import { rmSync } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { type Coordinator, type CoordinatorOptions, startCoordinator } from "../../coordinator/main.ts";
import type { ProgressEvent } from "../../core/events.ts";
import { connectCoordinator } from "../../proto/clients.ts";
import type { ToWorker__Output } from "../../proto/gen/limbeck/v1/ToWorker.ts";
import { packageVersion } from "../../proto/package.ts";
import { errorOfCall } from "../../proto/status.ts";
import { silent } from "../../proto/telemetry/log.ts";
import { coordinatorClient } from "../../proto/wire.ts";
import { Actor } from "./actor.ts";
import { testJob } from "./jobs.ts";

export const loopback = { host: "127.0.0.1", port: 0 };
/** A session that should end and does not fails its test. */
export const bounded = { timeout: 20_000 };

export async function scratch(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "limbeck-coordinator-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

export async function started(
  t: TestContext,
  changes: Partial<CoordinatorOptions> = {},
): Promise<Coordinator & { folder: string }> {
  const folder = join(await scratch(t), "run");
  const job = testJob({ workers: { students: 2, teachers: 1 }, epochs: 4 });
  const coordinator = await startCoordinator({
    job,
    jobFolder: "/jobs",
    runFolder: folder,
    listen: loopback,
    http: loopback,
    log: silent,
    ...changes,
  });
  t.after(() => coordinator.close());
  return { ...coordinator, folder };
}

/** Joins as the actor until the coordinator says stop; resolves with why it ended. */
export async function play(t: TestContext, address: string, actor: Actor, build = packageVersion): Promise<string> {
  const client = coordinatorClient(address);
  t.after(() => client.close());
  const stream = client.join();
  stream.write(actor.hello(build));
  const beats = setInterval(() => stream.write(actor.heartbeat()), 200);
  t.after(() => clearInterval(beats));
  try {
    for await (const message of stream as AsyncIterable<ToWorker__Output>) {
      const said = actor.answer(message);
      if (said === null) {
        stream.end();
        return message.stop!.why;
      }
      for (const each of said) stream.write(each);
    }
  } catch (thrown) {
    throw errorOfCall(thrown, "the coordinator");
  }
  return "the session ended";
}

export function cast(t: TestContext, { address }: Pick<Coordinator, "address">): Promise<string[]> {
  const actors = [
    new Actor("student-1", "student"),
    new Actor("student-2", "student"),
    new Actor("teacher-1", "teacher"),
  ];
  return Promise.all(actors.map((actor) => play(t, address, actor)));
}

export async function watched(address: string): Promise<ProgressEvent[]> {
  const client = connectCoordinator(address);
  const events: ProgressEvent[] = [];
  for await (const event of client.watch()) events.push(event);
  client.close();
  return events;
}

export async function get(
  coordinator: Coordinator,
  path: string,
): Promise<{ status: number; type: string | null; text: string }> {
  const response = await fetch(`http://${coordinator.httpAddress}${path}`);
  return { status: response.status, type: response.headers.get("content-type"), text: await response.text() };
}
