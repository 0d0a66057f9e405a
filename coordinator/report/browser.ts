/** Runs in the page: draws its charts with uPlot, which stands before it in the same script, in place of the pictures. */
import type UPlot from "uplot";
import type { ChartData } from "./chart.ts";
import { plotAxes, plotHeight, plotSeries, plotValue } from "./plot.ts";

declare const uPlot: typeof UPlot;

const charts: ChartData = JSON.parse(document.getElementById("charts")!.textContent!);
const dark = matchMedia("(prefers-color-scheme: dark)");

function draw(figure: HTMLElement): UPlot {
  const { series } = charts[Number(figure.dataset["chart"])]!;
  const lines = series.map(({ x, y }) => [[...x], [...y]] as UPlot.AlignedData);
  const options: UPlot.Options = {
    width: figure.clientWidth,
    height: plotHeight,
    scales: { x: { time: false } },
    axes: plotAxes(),
    series: [
      { label: "epoch" },
      ...series.map(({ name, colour }) => ({
        ...plotSeries(name, colour),
        value: (_: unknown, value: number | null) => plotValue(value),
      })),
    ],
  };
  // Curves of several stages or runs have their points at other places.
  return new uPlot(options, lines.length === 1 ? lines[0]! : uPlot.join(lines), figure);
}

let drawn: [HTMLElement, UPlot][] = [];

function drawAll(): void {
  for (const [, chart] of drawn) chart.destroy();
  drawn = [...document.querySelectorAll<HTMLElement>("figure[data-chart]")].map((figure) => [figure, draw(figure)]);
}

document.documentElement.classList.add("live");
drawAll();
dark.addEventListener("change", drawAll);
addEventListener("resize", () => {
  for (const [figure, chart] of drawn) chart.setSize({ width: figure.clientWidth, height: plotHeight });
});
