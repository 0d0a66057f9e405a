/** The report's files in a run folder. What is drawn needs no more than these. */
import { join } from "node:path";
import type { StageCurves } from "../../core/curves.ts";
import { LimbeckError } from "../../core/errors.ts";
import { parseJson } from "../../core/nesting.ts";
import type { RunReport } from "../../core/runreport.ts";
import { readFileWithin, writeTextWhole } from "../../proto/files.ts";
import { type ComparedRun, comparisonPage } from "./comparison.ts";
import { reportPage } from "./page.ts";
import type { ReportedRun } from "./reportedrun.ts";

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
  const run = await readRun(folder);
  await writeTextWhole(
    path,
    drawn(folder, () => reportPage(run)),
  );
  return path;
}

/** The page of several runs, side by side. Throws as readRun does. */
export async function drawComparison(folders: readonly string[]): Promise<string> {
  const runs: ComparedRun[] = [];
  for (const folder of folders) runs.push({ name: folder, ...(await readRun(folder)) });
  return drawn(folders.join(" or "), () => comparisonPage(runs));
}

/** What is drawn is read as it is written: a file that lacks something shows where it is looked for. */
function drawn(folder: string, draw: () => string): string {
  try {
    return draw();
  } catch (cause) {
    const message = `report.json or curves.json in ${folder} is damaged, or none of Limbeck's: ${(cause as Error).message}`;
    throw new LimbeckError("corrupt", message, { cause });
  }
}

/** Throws `usage` where the folder holds no run that is over, `corrupt` where a file is none of ours. */
export async function readRun(folder: string): Promise<ReportedRun> {
  const report = parsed<RunReport>(await textOf(folder, "report.json"), join(folder, "report.json"));
  if (typeof report !== "object" || report === null || !("time" in report && "disputes" in report)) {
    const message = `${join(folder, "report.json")} is of an older Limbeck: it lacks what the page shows`;
    throw new LimbeckError("usage", message);
  }
  const curves = parsed<StageCurves[]>(await textOf(folder, "curves.json"), join(folder, "curves.json"));
  return { report, curves, jobYaml: await textOf(folder, "job.yaml") };
}

async function textOf(folder: string, name: string): Promise<string> {
  const path = join(folder, name);
  try {
    return String(await readFileWithin(path));
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
    return parseJson(text) as T;
  } catch (cause) {
    throw new LimbeckError("corrupt", `${path} is damaged: ${(cause as Error).message}`, { cause });
  }
}
