/** `limbeck status` and `limbeck workers`: how a job is now, from its coordinator. */
import type { JobEntry } from "../core/jobentry.ts";
import type { OutputFormat } from "./display.ts";
import { type AskedJob, askStatus, type Meant, withJob } from "./jobclient.ts";
import { grid, gridWidth } from "./terminal/grid.ts";
import { entryLines } from "./terminal/jobgrid.ts";
import { statusLines } from "./terminal/statuslines.ts";
import { type SortKey, sorted, workerColumns } from "./terminal/workergrid.ts";

export interface StatusOptions extends Meant {
  readonly output: OutputFormat;
}

/** Of a job in a service that has workers, or gives them back: only these have a status of their own. */
const active: ReadonlySet<JobEntry["state"]> = new Set(["running", "pausing", "cancelling"]);

/** Exit code 1 where the job has failed. */
export async function status(options: StatusOptions): Promise<void> {
  await withJob(options, async (asked) => {
    const { entry } = asked;
    const found = entry && !active.has(entry.state) ? null : await askStatus(asked);
    const lines = [...(entry ? entryLines(entry) : []), ...(found ? statusLines(found) : [])];
    const json = JSON.stringify({ ...(found ?? summaryOf(entry!)), ...(entry && { entry }) });
    process.stdout.write(`${options.output === "json" ? json : lines.join("\n")}\n`);
    if (found?.outcome === "failed" || entry?.state === "failed") process.exitCode = 1;
  });
}

/** What scripts look for in the status of a job that runs, of one that does not. */
function summaryOf({ name, state, why, stage, step, steps }: JobEntry) {
  return { job: name, state, outcome: null, why, stage, step, steps };
}

export async function workers(options: StatusOptions & { readonly sort: SortKey }): Promise<void> {
  const rows = await withJob(options, async (asked) => sorted(await workersOf(asked), options.sort));
  if (options.output === "json") {
    process.stdout.write(`${JSON.stringify(rows)}\n`);
    return;
  }
  const { head, lines } = grid(workerColumns, rows, { width: gridWidth() });
  process.stdout.write(rows.length === 0 ? "no workers\n" : `${[head, ...lines].join("\n")}\n`);
}

async function workersOf(asked: AskedJob) {
  if (asked.entry && !active.has(asked.entry.state)) return [];
  return (await askStatus(asked)).workers;
}
