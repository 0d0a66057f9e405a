/** Several runs on one page: a table, and their curves one over the other. */
import type { RunReport } from "../../core/runreport.ts";
import type { Stage } from "../../core/stages.ts";
import { pValueText } from "../../core/summary.ts";
import { bytesText, duration, fixed, milliseconds, percent, whole } from "../../core/words.ts";
import { type Chart, figure } from "./chart.ts";
import { overlaid } from "./curvecharts.ts";
import { htmlDocument } from "./document.ts";
import { type Content, html } from "./html.ts";
import { dateText, gapText, verdictWords } from "./page.ts";
import type { ReportedRun } from "./reportedrun.ts";

export interface ComparedRun extends ReportedRun {
  /** The folder, as it was named. */
  readonly name: string;
}

const colours = 7;

const rows: readonly (readonly [name: string, value: (report: RunReport) => Content])[] = [
  ["job", ({ job }) => job],
  ["begun", ({ startedMs }) => dateText(startedMs)],
  ["verdict", ({ verdict }) => verdictWords[verdict]],
  ["p-value", ({ verdictDetail }) => (verdictDetail.pValue === null ? "–" : pValueText(verdictDetail.pValue))],
  ["errors of the teacher", ({ teacher }) => whole.format(teacher.test.errors)],
  ["errors of the student", ({ student }) => html`<strong>${whole.format(student.test.errors)}</strong>`],
  ["errors of the baseline", ({ baseline }) => (baseline ? whole.format(baseline.test.errors) : "–")],
  ["gap recovered", gapText],
  ["examples evaluated", ({ student }) => whole.format(student.test.examples)],
  ["agreement with the teacher", ({ student }) => percent(student.agreementWithTeacher)],
  ["cross-entropy of the student", ({ student }) => fixed(student.test.crossEntropy, 4)],
  ["calibration error of the student", ({ student }) => percent(student.calibration.ece)],
  ["parameters of the student", ({ student }) => whole.format(student.parameters)],
  ["parameters of the teacher", ({ teacher }) => (teacher.parameters === 0 ? "–" : whole.format(teacher.parameters))],
  ["size of the student", ({ models }) => sizeOf(models)],
  [
    "one example takes the student",
    ({ student: { latencies } }) => (latencies[0] ? milliseconds(latencies[0].medianSeconds) : "–"),
  ],
  ["epochs of distilling", ({ epochs }) => Number(epochs.toPrecision(4))],
  ["examples per second, distilling", ({ samplesPerSecond }) => whole.format(samplesPerSecond)],
  ["time", ({ wallSeconds }) => duration(wallSeconds)],
  ["faults survived", ({ faults }) => faults.reduce((sum, { times }) => sum + times, 0)],
  ["seed, numerics", ({ seed, numerics }) => `${seed}, ${numerics}`],
  ["dataset", ({ dataset }) => html`<code>${dataset.digest.slice(0, 12)}</code>`],
  ["weights of the student", ({ student }) => html`<code>${student.weightsSha256.slice(0, 12)}</code>`],
];

function sizeOf(models: RunReport["models"]): string {
  const student = models.find(({ stage, format }) => stage === "distil" && format === "float32");
  return student ? bytesText(student.bytes) : "–";
}

export function comparisonPage(runs: readonly ComparedRun[]): string {
  const students = chartsOf(runs, "distil");
  const baselines = chartsOf(runs, "baseline");
  const charts = [...students, ...baselines];
  const body = html`<main><header><p class="kicker">Limbeck report</p><h1>${runs.length} runs side by side</h1></header>
<section><h2>What they gave</h2><div class="wide"><table><thead><tr><td></td>${runs.map(({ name }, at) => html`<th scope="col"><i class="c${at % colours}"></i>${name}</th>`)}</tr></thead>
<tbody>${rows.map(
    ([
      name,
      value,
    ]) => html`<tr><th scope="row">${name}</th>${runs.map(({ report }) => html`<td>${value(report)}</td>`)}</tr>
`,
  )}</tbody></table></div>
<ul>${runs.map(({ name, report }) => html`<li><b>${name}</b>: ${report.summary}</li>`)}</ul></section>
<section><h2>The students</h2><p>By epoch.</p><div class="charts">${students.map((chart, at) => figure(chart, at))}</div></section>
${baselines.length > 0 ? html`<section><h2>The same students without a teacher</h2><div class="charts">${baselines.map((chart, at) => figure(chart, students.length + at))}</div></section>` : null}
</main>`;
  return htmlDocument(`${runs.length} runs: Limbeck report`, body, charts);
}

function chartsOf(runs: readonly ComparedRun[], stage: Stage): readonly Chart[] {
  return overlaid(
    runs.flatMap(({ name, curves }, at) => {
      const own = curves.find((each) => each.stage === stage);
      return own ? [{ name, colour: at % colours, curves: own }] : [];
    }),
  );
}
