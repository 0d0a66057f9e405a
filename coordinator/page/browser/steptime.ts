/** Where the time of a step goes: now as one bar, and over the stage. */
import type { CurveName, StagePast } from "../../../core/live/history.ts";
import { milliseconds } from "../../../core/words.ts";
import { LiveChart } from "./chart.ts";
import { byId, fill, setText } from "./dom.ts";
import type { Model } from "./model.ts";

/** With the colours that they have in the report. */
const parts = [
  ["softTargets", "waiting for soft targets", 0],
  ["compute", "computing", 1],
  ["exchange", "exchanging gradients", 2],
  ["apply", "updating", 3],
] as const satisfies readonly (readonly [CurveName, string, number])[];

export function createStepTime() {
  const chart = new LiveChart("Milliseconds of a step, of the student that leads");
  byId("timeCharts").append(chart.figure);
  return {
    show({ job, history: { stages } }: Model) {
      const past = stages.find(({ stage }) => stage === job.stage) ?? stages.findLast(({ latest }) => latest !== null);
      if (!past?.latest) return;
      showNow(past);
      chart.show(
        parts.map(([name, label, colour]) => ({ name: label, colour, x: past.curves.epochs, y: inMs(past, name) })),
      );
    },
    redraw: () => chart.redraw(),
    resize: () => chart.resize(),
  };
}

function inMs({ curves }: StagePast, name: CurveName): (number | null)[] {
  return curves.values(name).map((seconds) => (seconds === null ? null : 1_000 * seconds));
}

function showNow({ latest }: StagePast): void {
  const { phases } = latest!;
  const all = parts.reduce((sum, [name]) => sum + phases[name], 0) || 1;
  fill(byId("phases"), parts, {
    make: () => document.createElement("i"),
    show(bar, [name, , colour]) {
      bar.className = `c${colour}`;
      (bar as HTMLElement).style.flexGrow = String(phases[name] / all);
    },
  });
  fill(byId("phaseLegend"), parts, {
    make: () => {
      const item = document.createElement("span");
      item.append(document.createElement("i"), document.createElement("span"));
      return item;
    },
    show(item, [name, label, colour]) {
      item.children[0]!.className = `c${colour}`;
      setText(item.children[1]!, `${label} ${milliseconds(phases[name])}`);
    },
  });
}
