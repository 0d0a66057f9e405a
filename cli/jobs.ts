/** `limbeck list`, `cancel`, `pause`, `resume` and `delete`: a service's jobs. */
import { jobMeant } from "../core/jobentry.ts";
import { isOver, type JobAction } from "../core/jobstate.ts";
import { plain } from "../core/plaintext.ts";
import { counted } from "../core/words.ts";
import type { OutputFormat } from "./display.ts";
import { type Addressed, withJobs } from "./jobclient.ts";
import { grid, gridWidth } from "./terminal/grid.ts";
import { jobColumns } from "./terminal/jobgrid.ts";

export interface ListOptions extends Addressed {
  /** Those that are over, too. */
  readonly all?: boolean;
  readonly output: OutputFormat;
}

export async function list({ all = false, output, at }: ListOptions): Promise<void> {
  const entries = await withJobs({ at }, (jobs) => jobs.list());
  const shown = all ? entries : entries.filter((entry) => !isOver(entry.state));
  if (output === "json") {
    process.stdout.write(`${JSON.stringify(shown)}\n`);
    return;
  }
  const { head, lines } = grid(jobColumns, shown, { width: gridWidth() });
  const over = entries.length - shown.length;
  const rest = over === 0 ? [] : [`${counted(over, "job")} ${over === 1 ? "is" : "are"} over: --all shows them, too`];
  const table = shown.length === 0 ? ["no jobs"] : [head, ...lines];
  process.stdout.write(`${[...table, ...rest].join("\n")}\n`);
}

export interface ControlOptions extends Addressed {
  readonly job: string;
  readonly why: string;
  readonly output: OutputFormat;
}

export async function control(action: JobAction, options: ControlOptions): Promise<void> {
  const { job, why, output } = options;
  const told = await withJobs(options, async (jobs) => {
    const { id } = jobMeant(await jobs.list(), job);
    return { job: id, ...(await jobs.control(id, action, why)) };
  });
  const { state, why: reason } = told;
  const text = `${told.job}: ${state}${reason === "" ? "" : `, ${plain(reason)}`}`;
  process.stdout.write(`${output === "json" ? JSON.stringify({ job: told.job, state, why: reason }) : text}\n`);
}
