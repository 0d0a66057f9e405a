/** `limbeck run`: the whole of a job on this machine, as real processes on loopback, each restarted when it dies. */
import { join, relative } from "node:path";
import { LimbeckError } from "../core/errors.ts";
import { connectCoordinator } from "../proto/clients.ts";
import type { Endpoint } from "../proto/endpoint.ts";
import { ensureEngine } from "../worker/engine/install.ts";
import { endChildren } from "./children.ts";
import { startLastingCoordinator, startLastingWorkers } from "./crew.ts";
import { countDeaths, noticeMs } from "./deaths.ts";
import { createDisplay, type Display, type OutputFormat } from "./display.ts";
import { onInterruption } from "./interruption.ts";
import { type EarlierPart, finishedNote } from "./resume.ts";
import { type PlanOptions, planRun } from "./runplan.ts";
import type { Supervised } from "./supervisor.ts";
import { watchJob } from "./watch.ts";

export interface RunOptions extends PlanOptions {
  readonly http: Endpoint;
  readonly output: OutputFormat;
  readonly quiet?: boolean;
}

const orderlyStopMs = 20_000;

export async function run(file: string, options: RunOptions): Promise<void> {
  const plan = await planRun(file, options);
  const { job, folder, earlier } = plan;
  const shown = relative(process.cwd(), folder) || ".";
  const display = createDisplay(options);
  if (earlier?.report) {
    showFinished(earlier, shown, display);
    return;
  }
  const processes: Supervised[] = [];
  const interruption = onInterruption(processes, (line) => display.note(line));
  const gone = new AbortController();
  try {
    await ensureEngine(job.engine, { log: (line) => display.note(line), signal: interruption.asked });
    let giveUp: (reason: LimbeckError) => void = (reason) => gone.abort(reason);
    const deaths = countDeaths(
      (line) => display.note(line),
      (reason) => giveUp(reason),
    );
    const { coordinator, address, http } = await startLastingCoordinator(file, {
      plan,
      http: options.http,
      deaths,
      started: (first) => processes.push(first),
    });
    for (const line of earlier?.changed ?? []) display.note(`changed: ${line}`);
    if (earlier) display.note(`${shown}/ goes on where it was: ${earlier.stands}`);
    display.note(`${shown}/  ·  watch it at http://${http}/  ·  limbeck top --coordinator ${address}`);
    processes.push(...startLastingWorkers(plan, address, deaths));
    const client = connectCoordinator(address);
    // A coordinator that does not answer is found by who watches it.
    giveUp = ({ message }) => void client.stop(message).catch(() => {});
    interruption.stops(client);
    void coordinator.over.then(({ how }) => {
      // What it said last may still be on its way.
      setTimeout(() => gone.abort(new LimbeckError("unavailable", `the coordinator ${how}`)), noticeMs).unref();
    });
    interruption.killed.addEventListener("abort", () => gone.abort(interruption.killed.reason));
    const from = earlier?.events ?? 0;
    await watchJob({ client, from, gone: gone.signal, processes, deaths, display, folder, shown }).finally(() =>
      client.close(),
    );
    display.note(`the report: ${join(shown, "report.html")}`);
  } catch (thrown) {
    throw interruption.killed.aborted ? interruption.killed.reason : thrown;
  } finally {
    for (const each of processes) each.retire();
    display.close();
    const children = processes.map(({ child }) => child);
    for (const name of await endChildren(children, orderlyStopMs)) {
      process.stderr.write(`limbeck: ${name} did not end within ${orderlyStopMs / 1000} s and was killed\n`);
    }
    interruption.end();
  }
}

function showFinished({ report }: EarlierPart, shown: string, display: Display): void {
  display.note(finishedNote(shown));
  display.show({ kind: "job-finished", report, atMs: Date.now() });
  display.close();
}
