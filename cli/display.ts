/**
 * Progress for people: one live block on a terminal, plain lines elsewhere, JSON lines with `-o json`. What others wrote is
 * shown, and not obeyed by the terminal.
 */
import { SingleBar } from "cli-progress";
import pc from "picocolors";
import type { ProgressEvent } from "../core/events.ts";
import { describe, stepPayload } from "../core/lines.ts";
import { plain, plainLines } from "../core/plaintext.ts";
import type { Report } from "../core/report.ts";
import { resultTable } from "./table.ts";

export type OutputFormat = "text" | "json";

export interface Display {
  show(event: ProgressEvent): void;
  note(line: string): void;
  close(): void;
}

export function createDisplay({ output, quiet }: { output: OutputFormat; quiet?: boolean }): Display {
  if (output === "json") return jsonLines();
  if (quiet) return { show: () => {}, note: () => {}, close: () => {} };
  return process.stdout.isTTY ? liveBar() : printedLines();
}

function jsonLines(): Display {
  return {
    show: (event) => void process.stdout.write(`${JSON.stringify(event)}\n`),
    note: (line) => void process.stderr.write(`${plainLines(line)}\n`),
    close: () => {},
  };
}

const plainStepEveryMs = 5000;

function printedLines(): Display {
  let lastStepMs = 0;
  const print = (line: string) => void process.stdout.write(`${line}\n`);
  const note = (line: string) => print(plainLines(line));
  return {
    show(event) {
      if (event.kind === "stepped") {
        if (event.atMs - lastStepMs < plainStepEveryMs && event.step < event.steps) return;
        lastStepMs = event.atMs;
      }
      const line = describe(event);
      if (line) print(line);
      if (event.kind === "job-finished") print(resultTable(event.report as Report));
    },
    note,
    close: () => {},
  };
}

function liveBar(): Display {
  let bar: SingleBar | null = null;
  const doing = new Map<string, string>();
  const workers = () => [...doing].map(([worker, what]) => `${worker}: ${what}`).join(pc.dim(" | "));
  const close = () => {
    bar?.stop();
    bar = null;
  };
  const print = (line: string) => {
    const open = bar;
    if (open) process.stdout.write("\r\u001b[K");
    process.stdout.write(`${line}\n`);
    open?.render();
  };
  const openBar = (steps: number) => {
    const columns = process.stdout.columns ?? 100;
    bar = new SingleBar({
      format: `${pc.cyan("{stage}")} {bar} {value}/{total}  epoch {epoch}  {rate}/s  loss {loss}  acc {accuracy}  {eta_text}  ${pc.dim("{workers}")}`,
      barsize: Math.max(10, Math.min(30, Math.floor(columns / 6))),
      hideCursor: true,
      linewrap: false,
      etaBuffer: 1,
    });
    bar.start(steps, 0, {
      stage: "",
      epoch: "0",
      rate: "-",
      loss: "-",
      accuracy: "-",
      eta_text: "",
      workers: workers(),
    });
  };
  return {
    show(event) {
      if (event.kind === "worker-status") {
        const what = event.waitingFor ? `waits for ${event.waitingFor}` : event.doing;
        doing.set(plain(event.worker), plain(what));
        bar?.update({ workers: workers() });
        return;
      }
      if (event.kind === "stepped") {
        if (!bar) openBar(event.steps);
        bar!.update(event.step, { ...stepPayload(event), workers: workers() });
        return;
      }
      if (event.kind === "stage-finished" || event.kind.startsWith("job-")) close();
      const line = describe(event);
      if (line) print(line);
      if (event.kind === "job-finished") print(resultTable(event.report as Report));
    },
    note: (line) => print(plainLines(line)),
    close,
  };
}
