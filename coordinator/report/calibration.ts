/** The section on whether the models are as often right as they are sure. */
import type { ModelReport } from "../../core/report.ts";
import type { RunReport } from "../../core/runreport.ts";
import { fixed, percent } from "../../core/words.ts";
import { html, type Markup } from "./html.ts";
import { modelsOf } from "./models.ts";

const side = 200;
const margin = 30;

export function calibrationSection(report: RunReport): Markup {
  return html`<section><h2>Calibration</h2>
<p>Of the answers given with a confidence of 80 %, are 80 % right? Bars below the diagonal: the model is surer than it should be. The expected calibration error (ECE) is the mean distance from the diagonal, over 15 bins.</p>
<div class="side">${modelsOf(report).map(
    ({
      name,
      colour,
      model,
    }) => html`<figure><figcaption>${name}: ECE ${percent(model.calibration.ece)}, cross-entropy ${fixed(model.test.crossEntropy, 4)}</figcaption>
${diagram(name, colour, model)}</figure>
`,
  )}</div></section>`;
}

/** Accuracy over confidence; a bar is the paler the fewer of the examples it stands for. */
function diagram(name: string, colour: number, { calibration: { bins, ece }, test }: ModelReport): Markup {
  const place = (value: number) => Number((value * side).toFixed(1));
  const bars = bins
    .filter(({ examples }) => examples > 0)
    .map(({ from, to, examples, accuracy, confidence }) => {
      const opacity = Math.max(0.4, Math.sqrt(examples / test.examples)).toFixed(2);
      const title = `confidence ${percent(confidence)}: ${percent(accuracy)} of ${examples} right`;
      return html`<rect class="c${colour}" x="${place(from) + 0.5}" width="${(place(to) - place(from) - 1).toFixed(1)}" y="${place(1 - accuracy)}" height="${place(accuracy)}" fill-opacity="${opacity}"><title>${title}</title></rect>`;
    });
  const told = `Reliability diagram of the ${name}: expected calibration error ${percent(ece)}`;
  return html`<svg viewBox="-${margin} -6 ${side + margin + 14} ${side + margin + 8}" role="img" aria-label="${told}">
<rect class="frame" width="${side}" height="${side}"/>${bars}
<line class="diagonal" x1="0" y1="${side}" x2="${side}" y2="0"/>
${[0, 0.5, 1].map((tick) => html`<text class="x" x="${place(tick)}" y="${side + 14}">${tick * 100}</text><text class="y" x="-5" y="${place(1 - tick)}">${tick * 100}</text>`)}
<text class="x" x="${side / 2}" y="${side + 27}">confidence, %</text></svg>`;
}
