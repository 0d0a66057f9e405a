/** The sections on what the models get wrong: by class, by confusion, by confidence, and against the teacher. */
import type { ModelReport } from "../../core/report.ts";
import type { RunReport } from "../../core/runreport.ts";
import { percent, whole } from "../../core/words.ts";
import { html, type Markup } from "./html.ts";
import { className, modelsOf } from "./models.ts";
import { pictureMarkup } from "./picture.ts";

/** A matrix with more columns does not fit a page. */
const mostColumns = 20;
const mostRows = 40;

export function classSection(report: RunReport): Markup {
  const models = modelsOf(report);
  const labels = report.student.classes
    .map((_, label) => label)
    .filter((label) => report.student.classes[label]!.examples > 0);
  const worst = labels.length > mostRows;
  const errorsOf = (label: number) => report.student.classes[label]!.errors;
  const shown = worst ? labels.toSorted((a, b) => errorsOf(b) - errorsOf(a) || a - b).slice(0, mostRows) : labels;
  return html`<section><h2>Errors by class</h2>
${worst ? html`<p>The ${mostRows} of ${labels.length} classes with the most errors of the student.</p>` : null}
<div class="wide"><table><thead><tr><th scope="col">class</th><th scope="col">examples</th>${models.map(({ name }) => html`<th scope="col">${name}</th>`)}</tr></thead>
<tbody>${shown.map(
    (
      label,
    ) => html`<tr><th scope="row">${className(report, label)}</th><td>${whole.format(report.student.classes[label]!.examples)}</td>${models.map(
      ({ model, colour }) => {
        const { errors, examples } = model.classes[label]!;
        return html`<td>${errors} <small>${((100 * errors) / examples).toFixed(1)} %</small> ${bar(errors / examples / largestShare(report), colour)}</td>`;
      },
    )}</tr>
`,
  )}</tbody></table></div></section>`;
}

function largestShare(report: RunReport): number {
  const shares = modelsOf(report).flatMap(({ model }) =>
    model.classes.map(({ errors, examples }) => (examples === 0 ? 0 : errors / examples)),
  );
  return shares.reduce((largest, share) => Math.max(largest, share), 1e-9);
}

function bar(share: number, colour: number): Markup {
  return html`<svg class="bar" viewBox="0 0 100 8" aria-hidden="true"><rect class="c${colour}" width="${(100 * share).toFixed(1)}" height="8"/></svg>`;
}

export function confusionSection(report: RunReport): Markup {
  const ordered = modelsOf(report).toSorted((a, b) => Number(b.name === "student") - Number(a.name === "student"));
  return html`<section><h2>What is taken for what</h2>
${ordered.map(({ name, model }) =>
  name === "student"
    ? html`<h3>The student</h3>${confusionTable(report, model)}`
    : html`<details><summary>The ${name}</summary>${confusionTable(report, model)}</details>`,
)}</section>`;
}

function confusionTable(report: RunReport, model: ModelReport): Markup {
  if (report.dataset.classes > mostColumns) return confusionList(report, model);
  const { classes, confusions } = model;
  const count = (label: number, predicted: number) =>
    label === predicted
      ? classes[label]!.examples - classes[label]!.errors
      : (confusions.find((cell) => cell.label === label && cell.predicted === predicted)?.examples ?? 0);
  const most = Math.max(1, ...confusions.map(({ examples }) => examples));
  const shade = (label: number, predicted: number) => {
    if (label === predicted) return "hit";
    const examples = count(label, predicted);
    return examples === 0 ? "none" : `s${Math.ceil((9 * examples) / most)}`;
  };
  const names = classes.map((_, label) => className(report, label));
  return html`<div class="wide"><table class="confusion"><caption>Rows: the true class. Columns: what was predicted.</caption>
<thead><tr><td></td>${names.map((name) => html`<th scope="col">${name}</th>`)}</tr></thead>
<tbody>${names.map(
    (name, label) => html`<tr><th scope="row">${name}</th>${names.map(
      (_, predicted) => html`<td class="${shade(label, predicted)}">${count(label, predicted) || "·"}</td>`,
    )}</tr>
`,
  )}</tbody></table></div>`;
}

function confusionList(report: RunReport, { confusions }: ModelReport): Markup {
  return html`<div class="wide"><table><thead><tr><th scope="col">true class</th><th scope="col">predicted</th><th scope="col">examples</th></tr></thead>
<tbody>${confusions.slice(0, mostRows).map(
    ({ label, predicted, examples }) =>
      html`<tr><td>${className(report, label)}</td><td>${className(report, predicted)}</td><td>${examples}</td></tr>
`,
  )}</tbody></table></div>`;
}

export function agreementSection(report: RunReport): Markup {
  const { student, disputes } = report;
  return html`<section><h2>Agreement with the teacher</h2>
<p>Student and teacher predict the same class for <strong>${percent(student.agreementWithTeacher)}</strong> of the ${whole.format(student.test.examples)} examples.
${disputes.length > 0 ? "Below are those on which they differ although both are sure, the surest first." : null}</p>
<ol class="disputes">${disputes.map(({ example, label, teacher, student, picture }) => {
    const answer = (name: string, { predicted, confidence }: typeof teacher) =>
      html`<span class="${predicted === label ? "right" : "wrong"}">${name}: ${className(report, predicted)} <small>${(100 * confidence).toFixed(0)} % ${predicted === label ? "✓" : "✗"}</small></span>`;
    const text = `example ${example} of class ${className(report, label)}`;
    return html`<li>${picture ? pictureMarkup(picture, text) : null}<div><b>${className(report, label)}</b> <small>no. ${example}</small>
${answer("teacher", teacher)}
${answer("student", student)}</div></li>
`;
  })}</ol></section>`;
}
