/** The report's files in a run folder. What is drawn needs no more than these. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { StageCurves } from "../../core/curves.ts";
import { LimbeckError } from "../../core/errors.ts";
import type { RunReport } from "../../core/runreport.ts";
import { writeTextWhole } from "../../proto/files.ts";
import { reportPage } from "./page.ts";

/** A run that is over, as its folder has it. */
export interface ReportedRun {
  readonly report: RunReport;
  readonly curves: readonly StageCurves[];
  /** The effective job. */
  readonly jobYaml: string;
}

/** Writes report.json and curves.json, and draws report.html from them; each whole (L4). */
export async function writeReport(
  folder: string,
  { report, curves }: Pick<ReportedRun, "report" | "curves">,
): Promise<void> {
  await writeTextWhole(join(folder, "curves.json"), `${JSON.stringify(curves)}\n`);
  // Before the page: what could not be drawn can be drawn later.
  await writeTextWhole(join(folder, "report.json"), `${JSON.stringify(report, null, 2)}\n`);
  await drawReport(folder);
}

/** Draws report.html: the same bytes from the same files. @returns its path. Throws as readRun does. */
export async function drawReport(folder: string): Promise<string> {
  const path = join(folder, "report.html");
  await writeTextWhole(path, reportPage(await readRun(folder)));
  return path;
}

/** Throws `usage` where the folder holds no run that is over, `corrupt` where a file is none of ours. */
export async function readRun(folder: string): Promise<ReportedRun> {
  const report = parsed<RunReport>(await textOf(folder, "report.json"), join(folder, "report.json"));
  if (!("time" in report && "disputes" in report)) {
    const message = `${join(folder, "report.json")} is of an older Limbeck: it lacks what the page shows`;
    throw new LimbeckError("usage", message);
  }
  const curves = parsed<StageCurves[]>(await textOf(folder, "curves.json"), join(folder, "curves.json"));
  return { report, curves, jobYaml: await textOf(folder, "job.yaml") };
}

async function textOf(folder: string, name: string): Promise<string> {
  const path = join(folder, name);
  try {
    return await readFile(path, "utf8");
  } catch (cause) {
    const isMissing = ["ENOENT", "ENOTDIR"].includes((cause as NodeJS.ErrnoException).code ?? "");
    const why = isMissing
      ? `there is no ${path}: a run leaves it when it is over`
      : `${path} cannot be read: ${(cause as Error).message}`;
    throw new LimbeckError("usage", why, { cause });
  }
}

function parsed<T>(text: string, path: string): T {
  try {
    return JSON.parse(text) as T;
  } catch (cause) {
    throw new LimbeckError("corrupt", `${path} is damaged: ${(cause as Error).message}`, { cause });
  }
}
