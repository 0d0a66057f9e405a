/** A service's jobs in rows and lines for people. */
import type { JobEntry } from "../../core/jobentry.ts";
import { plain } from "../../core/plaintext.ts";
import { counted, duration, percent, whole } from "../../core/words.ts";
import type { Column } from "./grid.ts";
import { dateAndTime } from "./text.ts";

export const jobColumns: readonly Column<JobEntry>[] = [
  { title: "job", rank: 6, of: ({ id }) => id },
  { title: "state", rank: 5, of: ({ state }) => state },
  { title: "priority", rank: 2, align: "right", of: ({ priority }) => String(priority) },
  {
    title: "workers",
    rank: 3,
    align: "right",
    of: ({ workers }) => (workers.length === 0 ? "–" : String(workers.length)),
  },
  { title: "submitted", rank: 1, of: ({ submittedMs }) => dateAndTime(submittedMs) },
  { title: "by", rank: 0, of: ({ by }) => by },
  { title: "progress, or why", rank: 4, least: 20, of: progressOrWhy },
];

export function progressOrWhy(entry: JobEntry): string {
  const { state, stage, step, steps, samplesPerSecond, why } = entry;
  if (state !== "running" || stage === null || steps === 0) return why;
  return `${stage}, ${percent(step / steps)}, ${whole.format(samplesPerSecond)} samples/s`;
}

/** What the service knows of a job. */
export function entryLines(entry: JobEntry): string[] {
  const { id, state, why, priority, by, submittedMs, startedMs, endedMs, workers, summary } = entry;
  const took = startedMs !== null && endedMs !== null ? `, after ${duration((endedMs - startedMs) / 1_000)}` : "";
  const verdict = summary?.["summary"];
  const facts: (readonly [string, string | null])[] = [
    ["why", why || null],
    ["priority", String(priority)],
    ["submitted", `${dateAndTime(submittedMs)}${by === "" ? "" : `, by ${by}`}`],
    ["started", startedMs === null ? null : dateAndTime(startedMs)],
    ["ended", endedMs === null ? null : `${dateAndTime(endedMs)}${took}`],
    ["has", workers.length === 0 ? null : counted(workers.length, "worker")],
    ["result", typeof verdict === "string" ? verdict : null],
  ];
  const told = facts.flatMap(([name, text]) => (text === null ? [] : [`  ${name.padEnd(12)}${plain(text)}`]));
  return [plain(`${id}: ${state}`), ...told];
}
