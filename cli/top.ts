/** `limbeck top`: a job on the whole terminal, drawn again and again in place. */
import { setTimeout } from "node:timers/promises";
import { asLimbeckError, LimbeckError } from "../core/errors.ts";
import type { ProgressEvent } from "../core/events.ts";
import { eventText } from "../core/lines.ts";
import type { CoordinatorClient } from "../proto/clients.ts";
import type { OutputFormat } from "./display.ts";
import { type AskedJob, askStatus, type Meant, withJob } from "./jobclient.ts";
import { openScreen, usualSize } from "./terminal/screen.ts";
import { frame, pressed, type TopView } from "./terminal/topview.ts";

export interface TopOptions extends Meant {
  /** Seconds. */
  readonly interval: number;
  /** One frame, for scripts. */
  readonly once?: boolean;
  readonly output: OutputFormat;
}

const keptEvents = 100;
const endings: readonly ProgressEvent["kind"][] = ["job-finished", "job-stopped", "job-failed"];

export async function top(options: TopOptions): Promise<void> {
  const { once, output } = options;
  if (once || output === "json") return withJob(options, (asked) => printOnce(asked, options));
  if (!process.stdout.isTTY) {
    const message =
      "top draws on a terminal, and stdout is none: `limbeck status` prints how the job is, `limbeck top --once` one frame";
    throw new LimbeckError("usage", message);
  }
  await withJob(options, async (asked) => show(asked, options, await viewOf(asked)));
}

async function viewOf(asked: AskedJob): Promise<TopView> {
  const status = await askStatus(asked);
  return { status, events: [], away: null, ended: null, sort: "role", above: 0 };
}

async function printOnce(asked: AskedJob, options: TopOptions): Promise<void> {
  let view = await viewOf(asked);
  for await (const event of asked.client.watch({ decisions: true, soFar: true })) view = withDecision(view, event);
  if (options.output === "json") {
    process.stdout.write(`${JSON.stringify({ ...view.status, events: view.events })}\n`);
    return;
  }
  const { isTTY, columns, rows } = process.stdout;
  const size = isTTY && columns > 0 && rows > 1 ? { columns, rows: rows - 1 } : usualSize;
  const lines = frame(view, size, Date.now());
  process.stdout.write(`${lines.map(({ text }) => text.trimEnd()).join("\n")}\n`);
}

function withDecision(view: TopView, event: ProgressEvent): TopView {
  // What is resumed has an end in its past.
  const ended = endings.includes(event.kind) ? eventText(event) : null;
  return { ...view, ended, events: [...view.events, event].slice(-keptEvents) };
}

/** Until a key, a signal or something that throws ends it. */
async function show(asked: AskedJob, options: TopOptions, first: TopView): Promise<void> {
  let view = first;
  const quit = new AbortController();
  const end = () => quit.abort();
  let isDue = false;
  const draw = () => {
    isDue = false;
    screen.draw(frame(view, screen.size(), Date.now()));
  };
  /** What comes in a bundle is drawn once. */
  const change = (next: TopView) => {
    view = next;
    if (!isDue) setImmediate(draw);
    isDue = true;
  };
  const screen = openScreen(process.stdin, process.stdout, {
    onKey(key) {
      const next = pressed(view, key, screen.size());
      if (next) change(next);
      else end();
    },
    onResize: () => change(view),
  });
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.once(signal, end);
  const until = quit.signal;
  try {
    draw();
    const failed = (thrown: unknown) => {
      if (!until.aborted) quit.abort(asLimbeckError(thrown));
    };
    const polling = poll(asked, options, { until, view: () => view, change }).catch(failed);
    const watching = watch(asked.client, { until, view: () => view, change }).catch(failed);
    await Promise.all([polling, watching]);
    if (until.reason instanceof LimbeckError) throw until.reason;
  } finally {
    screen.close();
  }
}

interface Showing {
  readonly until: AbortSignal;
  view(): TopView;
  change(next: TopView): void;
}

async function poll(asked: AskedJob, options: TopOptions, { until, view, change }: Showing): Promise<void> {
  while (!until.aborted) {
    await setTimeout(1_000 * options.interval, undefined, { signal: until }).catch(() => {});
    if (until.aborted || view().ended !== null) continue;
    const away = () =>
      change({ ...view(), away: view().away ?? { why: "the coordinator does not answer", sinceMs: Date.now() } });
    try {
      // A question may wait for whoever decides next; the view says so meanwhile.
      const status = await askStatus(asked, away);
      change({ ...view(), status, away: null });
    } catch (thrown) {
      const { code } = asLimbeckError(thrown);
      if (code !== "unavailable" && code !== "timeout") throw thrown;
      away();
    }
  }
}

async function watch(client: CoordinatorClient, { until, view, change }: Showing): Promise<void> {
  for await (const event of client.watch({ decisions: true, patientUntil: until })) change(withDecision(view(), event));
}
