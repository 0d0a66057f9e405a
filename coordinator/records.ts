/** What the coordinator leaves in the run folder: job.yaml, events, their curves, quarantine and, at the end, the report. */
import { arch, release, type } from "node:os";
import { join } from "node:path";
import { curvesOf } from "../core/curves.ts";
import { LimbeckError } from "../core/errors.ts";
import { eventOf, eventsIn } from "../core/eventline.ts";
import type { ProgressEvent } from "../core/events.ts";
import type { Job } from "../core/job.ts";
import { effectiveJobYaml } from "../core/jobfile.ts";
import type { Report } from "../core/report.ts";
import { runReport } from "../core/runreport.ts";
import { exists, makeFolder, readFileWithin, writeTextWhole, writing } from "../proto/files.ts";
import { type LineFile, openLineFile } from "./folder/linefile.ts";
import { writeReport } from "./report/folder.ts";
import { TensorBoardFiles } from "./tensorboard.ts";

export interface Records {
  /** Those of the run's earlier parts, in order; EventLog begins with them. */
  readonly events: readonly ProgressEvent[];
  /** What of them was cut off or passed over; empty where nothing was. */
  readonly note: string;
  /** Appends a line to events.jsonl, and its scalars to the files in tensorboard/. Throws `unavailable` once when the disk refuses; later events are let go. */
  append(event: ProgressEvent): Promise<void>;
  /** Appends a line to quarantine.jsonl, which is made with the first; on the disk when it resolves. */
  quarantine(entry: Quarantined): Promise<void>;
  /**
   * Writes report.json, curves.json and report.html, each whole (L4).
   * @param events of the whole run so far
   */
  report(report: Report, events: readonly ProgressEvent[]): Promise<void>;
  close(): Promise<void>;
}

/** Examples to look at: the step they were in had no finite gradient. */
export type Quarantined = Readonly<Record<string, unknown>>;

export interface RecordsOptions {
  /** The folder holds an earlier part of this very run. Without it, a folder that holds events is refused. */
  readonly resume: boolean;
}

/**
 * Makes the run folder where it is missing and writes the effective job into it.
 * Throws `usage` where the folder holds another run's events, `unavailable` where it cannot be written.
 */
export async function openRecords(
  runFolder: string,
  job: Job,
  jobFolder: string,
  { resume }: RecordsOptions = { resume: false },
): Promise<Records> {
  const eventsPath = join(runFolder, "events.jsonl");
  await writing(runFolder, () => makeFolder(runFolder));
  if (!resume && (await exists(eventsPath))) {
    const message = `${eventsPath} exists: the folder holds another run; choose another with --out or --state`;
    throw new LimbeckError("usage", message);
  }
  // Before the events: a folder with events and no job.yaml is nobody's.
  await writeTextWhole(join(runFolder, "job.yaml"), effectiveJobYaml(job, jobFolder));
  const events = await openLineFile(eventsPath, { parse: eventOf, onDamage: "pass-over" });
  const quarantinePath = join(runFolder, "quarantine.jsonl");
  const tensorBoard = new TensorBoardFiles(runFolder, job.distil.temperature);
  let quarantine: LineFile<unknown> | null = null;
  let isBroken = false;
  return {
    events: events.lines,
    note: events.note,
    async append(event) {
      if (isBroken) return;
      try {
        await events.append(JSON.stringify(event));
        await writing(join(runFolder, "tensorboard"), () => tensorBoard.append(event));
      } catch (thrown) {
        isBroken = true;
        throw thrown;
      }
    },
    async quarantine(entry) {
      quarantine ??= await openLineFile(quarantinePath, { parse: (line) => line, onDamage: "pass-over" });
      await quarantine.append(JSON.stringify(entry));
      await quarantine.sync();
    },
    async report(report, all) {
      const software = { node: process.version, platform: `${type()} ${release()} on ${arch()}` };
      await writeReport(runFolder, { report: runReport(report, all, software), curves: curvesOf(all) });
    },
    async close() {
      try {
        if (!isBroken) await events.sync();
      } finally {
        await events.close();
        await tensorBoard.close();
        await quarantine?.close();
      }
    },
  };
}

/** Those of a run that nobody writes now; none where it has not begun. */
export async function readEvents(runFolder: string): Promise<readonly ProgressEvent[]> {
  const text = await readFileWithin(join(runFolder, "events.jsonl")).catch(() => "");
  return eventsIn(String(text));
}
