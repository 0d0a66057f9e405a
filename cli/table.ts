/** The table at the end of a run: what distilling was worth. */
import Table from "cli-table3";
import pc from "picocolors";
import type { Score } from "../core/events.ts";
import type { Report } from "../core/report.ts";
import { duration, fixed, percent, whole } from "../core/words.ts";

/** @param head without it, the table has none */
export function newTable(head: readonly string[] = []): Table.Table {
  const style = pc.isColorSupported ? { head: ["cyan"], border: ["gray"] } : { head: [], border: [] };
  return new Table({ head: [...head], style });
}

export function resultTable(report: Report): string {
  const table = newTable(["model", "parameters", "errors", "accuracy", "cross-entropy", "weights"]);
  const row = (name: string, model: { parameters: number; test: Score; weightsSha256: string }) =>
    table.push([
      name,
      model.parameters === 0 ? "–" : whole.format(model.parameters), // Nothing of it is trained here.
      `${model.test.errors} of ${whole.format(model.test.examples)}`,
      percent(model.test.accuracy),
      fixed(model.test.crossEntropy, 4),
      model.weightsSha256.slice(0, 12),
    ]);
  row("teacher", report.teacher);
  row("student", report.student);
  if (report.baseline) row("baseline", report.baseline);
  const lines = [
    table.toString(),
    `student agrees with teacher on ${percent(report.student.agreementWithTeacher)}`,
    report.summary,
    `verdict: ${pc.bold(report.verdict)} (${report.verdictDetail.why})`,
    `${whole.format(report.samplesPerSecond)} samples/s while distilling, ${duration(report.wallSeconds)} in all`,
  ];
  return [...lines, ...planLines(report)].join("\n");
}

/** Where the run was planned: how near the plan was. */
function planLines({ plan }: Report): string[] {
  if (!plan) return [];
  const { predicted, real } = plan;
  const stages = real.stages.map(({ stage, wallSeconds }) => {
    const planned = predicted.stages.find((each) => each.stage === stage)!;
    return `${stage} ${duration(planned.wallSeconds)} : ${duration(wallSeconds)}`;
  });
  return [
    `planned : real  ${[...stages, `in all ${duration(predicted.wallSeconds)} : ${duration(real.wallSeconds)}`].join(", ")}`,
  ];
}
