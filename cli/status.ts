/** `limbeck status` and `limbeck workers`: how a job is now, from its coordinator. */
import type { JobStatus } from "../coordinator/status.ts";
import type { OutputFormat } from "./display.ts";
import { type Addressed, askStatus, withCoordinator } from "./jobclient.ts";
import { grid } from "./terminal/grid.ts";
import { statusLines } from "./terminal/statuslines.ts";
import { type SortKey, sorted, workerColumns } from "./terminal/workergrid.ts";

export interface StatusOptions extends Addressed {
  readonly output: OutputFormat;
}

/** Exit code 1 where the job has failed. */
export async function status(options: StatusOptions): Promise<void> {
  const found = await ask(options);
  const text = options.output === "json" ? JSON.stringify(found) : statusLines(found).join("\n");
  process.stdout.write(`${text}\n`);
  if (found.outcome === "failed") process.exitCode = 1;
}

export async function workers(options: StatusOptions & { readonly sort: SortKey }): Promise<void> {
  const found = await ask(options);
  const rows = sorted(found.workers, options.sort);
  if (options.output === "json") {
    process.stdout.write(`${JSON.stringify(rows)}\n`);
    return;
  }
  // Whoever reads it through a pipe, or on a terminal that does not know its size, gets all of it.
  const width = (process.stdout.isTTY && process.stdout.columns) || Number.POSITIVE_INFINITY;
  const { head, lines } = grid(workerColumns, rows, { width });
  process.stdout.write(rows.length === 0 ? "no workers\n" : `${[head, ...lines].join("\n")}\n`);
}

function ask(options: Addressed): Promise<JobStatus> {
  return withCoordinator(options, (client) => askStatus(client, options));
}
