/** Runs in the page: draws its charts with uPlot, which stands before it in the same script, in place of the pictures. */
import type UPlot from "uplot";
import type { ChartData } from "./chart.ts";

declare const uPlot: typeof UPlot;

const charts: ChartData = JSON.parse(document.getElementById("charts")!.textContent!);
const dark = matchMedia("(prefers-color-scheme: dark)");
const height = 260;

function draw(figure: HTMLElement): UPlot {
  const { series } = charts[Number(figure.dataset["chart"])]!;
  const style = getComputedStyle(document.documentElement);
  const colour = (name: string) => style.getPropertyValue(`--${name}`).trim();
  const lines = series.map(({ x, y }) => [[...x], [...y]] as UPlot.AlignedData);
  const font = "12px system-ui, sans-serif";
  const axis = { stroke: colour("soft"), font, grid: { stroke: colour("line"), width: 1 }, ticks: { show: false } };
  const options: UPlot.Options = {
    width: figure.clientWidth,
    height,
    scales: { x: { time: false } },
    axes: [
      { ...axis, size: 30 },
      { ...axis, size: 60 },
    ],
    series: [
      { label: "epoch" },
      ...series.map(({ name, colour: own }) => ({
        label: name,
        stroke: colour(`c${own}`),
        width: 2,
        spanGaps: true,
        points: { size: 4 },
        value: (_: unknown, value: number | null) => (value === null ? "–" : String(Number(value.toPrecision(4)))),
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
  for (const [figure, chart] of drawn) chart.setSize({ width: figure.clientWidth, height });
});
