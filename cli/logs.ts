/** `limbeck logs`: what was decided in a job, a line each, and what is decided from now on. */
import type { ProgressEvent } from "../core/events.ts";
import { eventText } from "../core/lines.ts";
import type { CoordinatorClient } from "../proto/clients.ts";
import { sayOfAbsence } from "./absence.ts";
import type { OutputFormat } from "./display.ts";
import { type Meant, withJob } from "./jobclient.ts";
import { dateAndTime } from "./terminal/text.ts";

export interface LogsOptions extends Meant {
  readonly follow?: boolean;
  /** Unix time in milliseconds. */
  readonly since?: number;
  /** Of those so far, only the last so many. */
  readonly lines?: number;
  readonly output: OutputFormat;
}

/** Ends with what there is, or, where it follows, with the job: over every restart of its coordinator, until Ctrl-C. */
export async function logs(options: LogsOptions): Promise<void> {
  const interrupted = new AbortController();
  await withJob(options, async ({ client }) => {
    const from = await printSoFar(client, options);
    if (!options.follow) return;
    process.once("SIGINT", () => interrupted.abort());
    await follow(client, { ...options, from, until: interrupted.signal });
  });
}

/** @returns the number of the last event there was */
async function printSoFar(client: CoordinatorClient, options: LogsOptions): Promise<number> {
  const { since = 0, lines = Number.POSITIVE_INFINITY } = options;
  const kept: ProgressEvent[] = [];
  let last = 0;
  for await (const [event, number] of client.watchNumbered({ decisions: true, soFar: true })) {
    last = number;
    if (event.atMs < since) continue;
    kept.push(event);
    if (kept.length > lines) kept.shift();
  }
  for (const event of kept) print(event, options);
  return last;
}

async function follow(
  client: CoordinatorClient,
  options: LogsOptions & { readonly from: number; readonly until: AbortSignal },
): Promise<void> {
  const { from, until } = options;
  const absence = sayOfAbsence("Ctrl-C ends");
  try {
    // L7: the wait is told, and ended by its reader.
    for await (const event of client.watch({ from, decisions: true, patientUntil: until, onAway: absence.away })) {
      absence.back();
      print(event, options);
    }
  } catch (thrown) {
    if (!until.aborted) throw thrown;
  }
}

function print(event: ProgressEvent, { output }: LogsOptions): void {
  if (output === "json") {
    process.stdout.write(`${JSON.stringify(event)}\n`);
    return;
  }
  for (const line of eventText(event).split("\n")) process.stdout.write(`${dateAndTime(event.atMs)}  ${line}\n`);
}
