/** report.html: what a run gave, as one page that needs nothing else. */
import type { Latency, ModelReport } from "../../core/report.ts";
import type { RunReport } from "../../core/runreport.ts";
import { bytesText, duration, fixed, milliseconds, percent, whole } from "../../core/words.ts";
import { calibrationSection } from "./calibration.ts";
import { figure } from "./chart.ts";
import { doctorSection, faultSection, planSection, timeSection } from "./course.ts";
import { runCharts } from "./curvecharts.ts";
import { htmlDocument } from "./document.ts";
import { agreementSection, classSection, confusionSection } from "./errors.ts";
import { html, type Markup } from "./html.ts";
import { modelsOf } from "./models.ts";
import type { ReportedRun } from "./reportedrun.ts";

export function reportPage({ report, curves, jobYaml }: ReportedRun): string {
  const charts = runCharts(curves);
  const body = html`<main>
${heading(report)}
${resultSection(report)}
<section><h2>Curves</h2><p>By epoch.</p><div class="charts">${charts.map(figure)}</div></section>
${classSection(report)}
${confusionSection(report)}
${calibrationSection(report)}
${agreementSection(report)}
${sizeSection(report)}
${timeSection(report)}
${faultSection(report)}
${planSection(report)}
${doctorSection(report)}
${reproductionSection(report, jobYaml)}
</main>`;
  return htmlDocument(`${report.job}: Limbeck report`, body, charts);
}

export const verdictWords: Readonly<Record<RunReport["verdict"], string>> = {
  beats: "distilling paid off",
  does_not_beat: "better without the teacher",
  inconclusive: "no clear difference",
};

export function gapText({ gapRecovered }: RunReport): string {
  if (gapRecovered === null) return "–";
  return gapRecovered <= 0 ? "nothing" : `${Math.round(gapRecovered * 100)} %`;
}

/** UTC, to the minute. */
export function dateText(unixMs: number): string {
  return `${new Date(unixMs).toISOString().slice(0, 16).replace("T", " ")} UTC`;
}

function heading(report: RunReport): Markup {
  const { job, verdict, summary, verdictDetail, dataset, engine, workers } = report;
  const facts = [
    dateText(report.startedMs),
    duration(report.wallSeconds),
    `${whole.format(dataset.trainExamples)} training examples, ${whole.format(dataset.evaluationExamples)} of the ${report.evaluationSplit} split`,
    `${workers.length} workers, ${engine.backend}${engine.tensorflowVersion ? ` ${engine.tensorflowVersion}` : ""} on ${engine.device}`,
  ];
  return html`<header><p class="kicker">Limbeck report</p><h1>${job}</h1>
<p class="verdict ${verdict}"><span class="badge">${verdictWords[verdict]}</span> ${summary}</p>
<p class="soft">${facts.join(" · ")}</p>
<p class="soft">${capitalized(verdictDetail.why)}.</p></header>`;
}

function capitalized(sentence: string): string {
  return sentence.charAt(0).toUpperCase() + sentence.slice(1);
}

function resultSection(report: RunReport): Markup {
  const row = (name: string, colour: number, { parameters, test, calibration }: ModelReport) =>
    html`<tr><th scope="row"><i class="c${colour}"></i>${name}</th><td>${parameters === 0 ? "–" : whole.format(parameters)}</td>
<td><strong>${whole.format(test.errors)}</strong></td><td>${percent(test.accuracy)}</td><td>${fixed(test.crossEntropy, 4)}</td><td>${percent(calibration.ece)}</td></tr>
`;
  return html`<section><h2>Result</h2>
<div class="wide"><table><thead><tr><th scope="col">model</th><th scope="col">parameters</th><th scope="col">errors</th><th scope="col">accuracy</th><th scope="col">cross-entropy</th><th scope="col">calibration error</th></tr></thead>
<tbody>${modelsOf(report).map(({ name, colour, model }) => row(name, colour, model))}</tbody></table></div>
<dl class="figures"><div><dt>gap to the teacher recovered</dt><dd>${gapText(report)}</dd></div>
<div><dt>agreement with the teacher</dt><dd>${percent(report.student.agreementWithTeacher)}</dd></div>
<div><dt>examples per second, distilling</dt><dd>${whole.format(report.samplesPerSecond)}</dd></div>
<div><dt>epochs of distilling</dt><dd>${Number(report.epochs.toPrecision(4))}</dd></div></dl></section>`;
}

function sizeSection({ models, teacher }: RunReport): Markup {
  const row = (
    name: string,
    { bytes, errors, latencies }: { bytes: number | null; errors: number; latencies: readonly Latency[] },
  ) => {
    const [one, many] = [latencies[0], latencies.at(-1)];
    const cell = (latency: Latency | undefined) =>
      latency
        ? html`${milliseconds(latency.medianSeconds)} <small>p95 ${milliseconds(latency.p95Seconds)}</small>`
        : "–";
    const rate = many ? whole.format(many.batch / many.medianSeconds) : "–";
    return html`<tr><th scope="row">${name}</th><td>${bytes === null ? "–" : bytesText(bytes)}</td><td>${whole.format(errors)}</td><td>${cell(one)}</td><td>${cell(many)}</td><td>${rate}</td></tr>
`;
  };
  const given = models.some(({ stage }) => stage === "teach")
    ? null
    : row("teacher, only asked", { bytes: null, errors: teacher.test.errors, latencies: teacher.latencies });
  const batch = models[0]?.latencies.at(-1)?.batch ?? teacher.latencies.at(-1)?.batch;
  return html`<section><h2>Sizes and latency</h2>
<p>As each model loads back from disk, by the worker that exported it, on its engine, with whatever else ran on that machine.</p>
<div class="wide"><table><thead><tr><th scope="col">model</th><th scope="col">size</th><th scope="col">errors</th><th scope="col">one example</th><th scope="col">${batch === undefined ? "a batch" : `a batch of ${batch}`}</th><th scope="col">examples per second</th></tr></thead>
<tbody>${given}${models.map(({ folder, format, bytes, test, latencies }) => row(`${folder}/ (${format})`, { bytes, errors: test.errors, latencies }))}</tbody></table></div></section>`;
}

function reproductionSection(report: RunReport, jobYaml: string): Markup {
  const { build, software, engine, seed, numerics, dataset } = report;
  const row = (
    name: string,
    value: string,
  ) => html`<tr><th scope="row">${name}</th><td class="text"><code>${value}</code></td></tr>
`;
  return html`<section><h2>To do it again</h2>
<p>Save the job below as a file, then <code>limbeck run JOB.yaml</code>. ${numerics === "exact" ? "Numerics are exact: on an equal engine the weights are the same bits, for any number of workers." : "Numerics are fast: the result will be near, not equal."}</p>
<div class="wide"><table><tbody>
${row("Limbeck", build)}${row("Node", `${software.node}, ${software.platform}`)}
${row("engine", `${engine.backend} ${engine.tensorflowVersion ?? ""} on ${engine.device}: ${engine.why}`)}
${row("engine's fingerprint", engine.fingerprint)}${row("seed, numerics", `${seed}, ${numerics}`)}
${row("dataset", dataset.digest)}${modelsOf(report).map(({ name, model }) => row(`weights of the ${name}`, model.weightsSha256))}
${report.workers.map(({ worker, role, residentBytes }) => row(worker, `${role}, at most ${bytesText(residentBytes)} of memory`))}</tbody></table></div>
<details><summary>The job</summary><pre>${jobYaml}</pre></details></section>`;
}
