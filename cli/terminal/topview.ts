/** `limbeck top` as a pure function: what is known and the size of the terminal in, lines out. */
import type { JobStatus } from "../../coordinator/status.ts";
import type { ProgressEvent } from "../../core/events.ts";
import { eventText } from "../../core/lines.ts";
import { plain } from "../../core/plaintext.ts";
import { duration, fixed, percent, whole } from "../../core/words.ts";
import { grid } from "./grid.ts";
import { crewText, evaluationText, faultText, waitText } from "./statuslines.ts";
import { bar, fit, sparkline, timeOfDay } from "./text.ts";
import { type SortKey, sorted, sortKeys, workerColumns } from "./workergrid.ts";

export interface TopView {
  readonly status: JobStatus;
  /** What was decided, the newest last. */
  readonly events: readonly ProgressEvent[];
  /** Why the coordinator is not heard, and since when; null while it is. */
  readonly away: { readonly why: string; readonly sinceMs: number } | null;
  /** How the job ended; null before. */
  readonly ended: string | null;
  readonly sort: SortKey;
  /** Workers above the first that is shown. */
  readonly above: number;
}

export interface Size {
  readonly columns: number;
  readonly rows: number;
}

export type Style = "bold" | "dim" | "inverse" | "warning" | "normal";

export interface Line {
  readonly text: string;
  readonly style: Style;
}

const line = (text: string, style: Style = "normal"): Line => ({ text: plain(text), style });

/** As many lines as the terminal has rows, each as wide as it is. */
export function frame(view: TopView, { columns, rows }: Size, nowMs: number): Line[] {
  const head = headOf(view, columns, nowMs);
  const foot = footOf(view, { columns, rows });
  const workers = sorted(view.status.workers, view.sort);
  const room = roomFor(head, foot, rows);
  const above = clamped(view.above, workers.length, room);
  const { head: titles, lines } = grid(workerColumns, workers, {
    width: columns,
    shown: workers.slice(above, above + room),
  });
  const table = Array.from({ length: room }, (_, at) => line(lines[at] ?? ""));
  const which = workers.length === 0 ? "no workers" : `${above + 1}-${above + lines.length} of ${workers.length}`;
  const hint = `q quits  ${which}, by ${view.sort} (s sorts)  ↑ ↓ PgUp PgDn`;
  const all = [...head, line(titles, "inverse"), ...table, line(hint, "dim"), ...foot];
  return all.slice(0, rows).map(({ text, style }) => ({ text: fit(text, columns), style }));
}

/** What a key does; null: it quits. */
export function pressed(view: TopView, key: string, size: Size): TopView | null {
  const count = view.status.workers.length;
  const room = roomFor(headOf(view, size.columns, 0), footOf(view, size), size.rows);
  const scrolled = (by: number): TopView => ({
    ...view,
    above: clamped(clamped(view.above, count, room) + by, count, room),
  });
  switch (key) {
    case "q":
    case "ctrl-c":
      return null;
    case "s":
      return { ...view, above: 0, sort: sortKeys[(sortKeys.indexOf(view.sort) + 1) % sortKeys.length]! };
    case "up":
      return scrolled(-1);
    case "down":
      return scrolled(1);
    case "pageup":
      return scrolled(-room);
    case "pagedown":
      return scrolled(room);
    case "home":
      return scrolled(-count);
    case "end":
      return scrolled(count);
    default:
      return view;
  }
}

function headOf({ status, away, ended }: TopView, columns: number, nowMs: number): Line[] {
  const { job, state, stage, term, step, steps, lastStep, recentLosses } = status;
  const titles = [job, state, ...(stage === null ? [] : [stage]), `term ${term}`, timeOfDay(nowMs)];
  const lines = [line(titles.join("  "), "bold")];
  if (ended !== null) lines.push(line(`the job has ended: ${ended}`, "warning"));
  else if (away) lines.push(line(`${away.why} since ${timeOfDay(away.sinceMs)}; what follows is of before`, "warning"));
  const isGoing = lastStep !== null && lastStep.stage === stage;
  if (steps > 0) {
    const share = step / steps;
    const counts = `${whole.format(step)}/${whole.format(steps)}  ${percent(share)}`;
    const rate = isGoing
      ? `  ${whole.format(lastStep.samplesPerSecond)} samples/s  ${duration(lastStep.etaSeconds)} left`
      : "";
    lines.push(line(`${bar(share, Math.max(5, Math.floor(columns / 5)))} ${counts}${rate}`));
  }
  if (isGoing) {
    const { loss, accuracy, agreement } = lastStep;
    const agrees = agreement === null ? "" : `  agrees ${percent(agreement)}`;
    const spark = sparkline(recentLosses, Math.max(8, Math.floor(columns / 4)));
    lines.push(line(`loss ${fixed(loss, 4)} ${spark}  accuracy ${percent(accuracy)}${agrees}`));
  }
  const evaluation = evaluationText(status);
  if (evaluation) lines.push(line(`evaluation  ${evaluation}`));
  lines.push(line(`workers  ${crewText(status.workers)}`), line(`waits for  ${waitText(status)}`));
  const teachers = teachersText(status);
  return teachers === "" ? lines : [...lines, line(`teachers  ${teachers}`)];
}

function teachersText({ workers }: JobStatus): string {
  const teachers = sorted(workers, "name").filter(({ role }) => role === "teacher");
  return teachers
    .map(({ worker, state, servesPerSecond }) =>
      servesPerSecond === null ? `${worker} ${state}` : `${worker} ${state} ${whole.format(servesPerSecond)}/s`,
    )
    .join(", ");
}

/** The last fault and the last decisions, in a quarter of the terminal at most. */
function footOf({ status, events }: TopView, { rows }: Size): Line[] {
  const told = events.flatMap((event) => {
    const text = eventText(event);
    return text.split("\n").map((each) => line(`${timeOfDay(event.atMs)}  ${each}`, "dim"));
  });
  const room = Math.max(1, Math.floor(rows / 4) - 1);
  return [line(`last fault  ${faultText(status)}`, status.lastFault ? "warning" : "dim"), ...told.slice(-room)];
}

/** Rows that are left for workers, beside their titles and the hint. */
function roomFor(head: readonly Line[], foot: readonly Line[], rows: number): number {
  return Math.max(1, rows - head.length - foot.length - 2);
}

function clamped(above: number, count: number, room: number): number {
  return Math.max(0, Math.min(above, count - room));
}
