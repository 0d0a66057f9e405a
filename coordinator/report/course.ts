/** The sections on how the run went: its time, its faults, its plan, and what the doctor said. */
import type { RunReport } from "../../core/runreport.ts";
import type { StageTime } from "../../core/timeuse.ts";
import { duration, milliseconds, whole } from "../../core/words.ts";
import { html, type Markup } from "./html.ts";
import { modelOfStage } from "./models.ts";

/** With the number of its colour. */
const parts = [
  ["gettingReady", "getting ready, pauses", 5],
  ["softTargets", "waiting for soft targets", 0],
  ["compute", "computing", 1],
  ["exchange", "exchanging gradients", 2],
  ["apply", "updating", 3],
  ["evaluating", "last evaluation", 4],
  ["rest", "other evaluations, checkpoints, the rest", 6],
] as const satisfies readonly (readonly [keyof StageTime, string, number])[];

export function timeSection({ time, wallSeconds, softTargets, terms }: RunReport): Markup {
  const longest = Math.max(...time.map(({ wall }) => wall), 1e-9);
  return html`<section><h2>Where the time went</h2>
<p>${duration(wallSeconds)} in all, ${terms} terms. Seconds of wall time, as the student that led each stage saw it; data was made meanwhile by the main thread.</p>
<p class="legend">${parts.map(([, name, colour]) => html`<span><i class="c${colour}"></i>${name}</span> `)}</p>
${time.map((stage) => html`<figure><figcaption>${modelOfStage[stage.stage]}: ${duration(stage.wall)}</figcaption>${stacked(stage, longest)}</figure>`)}
<div class="wide"><table><thead><tr><th scope="col">stage</th>${parts.map(([, name]) => html`<th scope="col">${name}</th>`)}<th scope="col">all</th><th scope="col">data, meanwhile</th><th scope="col">export, after it</th></tr></thead>
<tbody>${time.map(
    (
      stage,
    ) => html`<tr><th scope="row">${stage.stage}</th>${[...parts.map(([key]) => stage[key]), stage.wall, stage.data, stage.exporting].map((seconds) => html`<td>${seconds.toFixed(1)}</td>`)}</tr>
`,
  )}</tbody></table></div>
<p>Soft targets: ${whole.format(softTargets.requested)} needed, ${whole.format(softTargets.cached)} of them from the cache; ${whole.format(softTargets.hedged)} requests hedged, ${whole.format(softTargets.askedAgain)} asked again. ${softTargets.cache}.</p></section>`;
}

function stacked(stage: StageTime, longest: number): Markup {
  let x = 0;
  const rects = parts.map(([key, name, colour]) => {
    const width = (1000 * stage[key]) / longest;
    const rect = html`<rect class="c${colour}" x="${x.toFixed(1)}" width="${width.toFixed(1)}" height="22"><title>${name}: ${duration(stage[key])}</title></rect>`;
    x += width;
    return rect;
  });
  const told = parts.map(([key, name]) => `${name} ${duration(stage[key])}`).join(", ");
  return html`<svg class="stack" viewBox="0 0 1000 22" preserveAspectRatio="none" role="img" aria-label="${stage.stage}: ${told}">${rects}</svg>`;
}

export function faultSection({ faults, stages }: RunReport): Markup {
  const skipped = stages.filter(({ skippedSteps }) => skippedSteps > 0);
  return html`<section><h2>Faults survived</h2>
${faults.length === 0 ? html`<p>None: every worker stayed, every payload was whole, every gradient finite.</p>` : null}
${faults.map(
  ({
    what,
    times,
    told,
  }) => html`<details open><summary>${times} × ${what}</summary><ul>${told.map((each) => html`<li>${each}</li>`)}${times > told.length ? html`<li>and ${times - told.length} more</li>` : null}</ul></details>
`,
)}
${skipped.map(({ stage, skippedSteps }) => html`<p>${skippedSteps} steps of ${stage} were skipped by all: their gradient was not finite.</p>`)}</section>`;
}

export function planSection({ plan }: RunReport): Markup {
  if (!plan) {
    return html`<section><h2>Plan against reality</h2><p>Nothing was planned: <code>limbeck plan --save</code> before a run measures the machine, and the report then compares.</p></section>`;
  }
  const { predicted, real } = plan;
  const row = (name: string, planned: string, was: string) =>
    html`<tr><th scope="row">${name}</th><td>${planned}</td><td>${was}</td></tr>
`;
  return html`<section><h2>Plan against reality</h2>
<p>Planned for this many students and teachers: ${predicted.students} and ${predicted.teachers}.</p>
<div class="wide"><table><thead><tr><td></td><th scope="col">planned</th><th scope="col">real</th></tr></thead><tbody>
${real.stages.flatMap(({ stage, stepSeconds, wallSeconds }) => {
  const planned = predicted.stages.find((each) => each.stage === stage);
  if (!planned) return [];
  return [
    row(`${stage}, a step`, milliseconds(planned.stepSeconds), milliseconds(stepSeconds)),
    row(`${stage}, in all`, duration(planned.wallSeconds), duration(wallSeconds)),
  ];
})}${row("the job", duration(predicted.wallSeconds), duration(real.wallSeconds))}</tbody></table></div></section>`;
}

export function doctorSection({ doctor }: RunReport): Markup | null {
  if (doctor.length === 0) return null;
  return html`<section><h2>What the doctor found</h2><div class="wide"><table><thead><tr><th scope="col">check</th><th scope="col" class="text">finding</th><th scope="col" class="text">in words</th></tr></thead>
<tbody>${doctor.map(
    ({
      check,
      severity,
      message,
    }) => html`<tr><th scope="row">${check}</th><td class="text">${severity}</td><td class="text">${message}</td></tr>
`,
  )}</tbody></table></div></section>`;
}
