/** `limbeck report`: the page of a run, drawn again, or of several, side by side. */
import { resolve } from "node:path";
import { drawComparison, drawReport, readRun } from "../coordinator/report/folder.ts";
import { writeTextWhole } from "../proto/files.ts";

interface ReportOptions {
  readonly output: "html" | "json";
  /** Where the page of several runs goes. */
  readonly to: string;
}

export async function report(folders: readonly string[], { output, to }: ReportOptions): Promise<void> {
  if (output === "json") {
    const reports = [];
    for (const folder of folders) reports.push((await readRun(folder)).report);
    process.stdout.write(`${JSON.stringify(reports.length === 1 ? reports[0] : reports, null, 2)}\n`);
    return;
  }
  if (folders.length === 1) {
    process.stdout.write(`${await drawReport(folders[0]!)}\n`);
    return;
  }
  await writeTextWhole(resolve(to), await drawComparison(folders));
  process.stdout.write(`${to}\n`);
}
