/** Line charts: as data for uPlot, and as a picture for where no script runs. */
import { type Content, html, type Markup } from "./html.ts";

export interface Series {
  readonly name: string;
  /** Number of its colour. */
  readonly colour: number;
  readonly x: readonly number[];
  readonly y: readonly (number | null)[];
}

export interface Chart {
  readonly title: string;
  readonly series: readonly Series[];
}

/** What the page's script is given, in the order of the figures. */
export type ChartData = readonly Chart[];

const [width, height] = [640, 240];
const margin = { left: 56, right: 8, top: 8, bottom: 24 };

/** @param at its place in the page's ChartData */
export function figure(chart: Chart, at: number): Markup {
  return html`<figure class="chart" data-chart="${at}">
<figcaption>${chart.title}</figcaption>
<div class="static">${picture(chart)}<p class="legend">${chart.series.map(
    ({ name, colour }) => html`<span><i class="c${colour}"></i>${name}</span> `,
  )}</p></div>
</figure>`;
}

function picture({ title, series }: Chart): Markup {
  const x = scale(
    series.flatMap((each) => each.x),
    margin.left,
    width - margin.right,
  );
  const y = scale(
    series.flatMap((each) => each.y.filter((value) => value !== null)),
    height - margin.bottom,
    margin.top,
  );
  const line = ({ x: xs, y: ys, colour }: Series): Content => {
    const points = xs.flatMap((value, at) => {
      const own = ys[at] ?? null;
      return own === null ? [] : [`${x.at(value)},${y.at(own)}`];
    });
    // A line through one point is none.
    if (points.length !== 1) return html`<polyline class="c${colour}" points="${points.join(" ")}"/>`;
    const [cx, cy] = points[0]!.split(",");
    return html`<circle class="c${colour}" cx="${cx!}" cy="${cy!}" r="3"/>`;
  };
  return html`<svg viewBox="0 0 ${width} ${height}" role="img" aria-label="${described(title, series)}">
${y.ticks.map((tick) => html`<line class="grid" x1="${margin.left}" x2="${width - margin.right}" y1="${y.at(tick)}" y2="${y.at(tick)}"/><text x="${margin.left - 6}" y="${y.at(tick)}" class="y">${short(tick)}</text>`)}
${x.ticks.map((tick) => html`<text x="${x.at(tick)}" y="${height - 6}" class="x">${short(tick)}</text>`)}
${series.map(line)}</svg>`;
}

/** The chart in words: where each curve begins and ends. */
function described(title: string, series: readonly Series[]): string {
  const told = series.map(({ name, y }) => {
    const known = y.filter((value) => value !== null);
    return known.length === 0 ? `${name}: nothing` : `${name} from ${short(known[0]!)} to ${short(known.at(-1)!)}`;
  });
  return `${title}. ${told.join("; ")}`;
}

function scale(values: readonly number[], from: number, to: number) {
  const finite = values.filter(Number.isFinite);
  const least = finite.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY);
  const most = finite.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
  const span = most > least ? most - least : 1;
  const at = (value: number) => Number((from + ((value - least) / span) * (to - from)).toFixed(1));
  return { at, ticks: finite.length === 0 ? [] : ticksBetween(least, most) };
}

/** About four round numbers. */
function ticksBetween(least: number, most: number): number[] {
  if (most <= least) return [least];
  const rough = (most - least) / 4;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 2.5, 5, 10].map((factor) => factor * power).find((each) => each >= rough)!;
  const first = Math.ceil(least / step);
  return Array.from({ length: Math.floor(most / step) - first + 1 }, (_, at) => (first + at) * step);
}

function short(value: number): string {
  return String(Number(value.toPrecision(4)));
}
