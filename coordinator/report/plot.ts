/** How charts are drawn with uPlot, in the report and on the live page. In the report it stands in one script with what uses it. */
import type UPlot from "uplot";

export const plotHeight = 260;

/** A colour of the style sheet, light or dark as the page is. */
export function themeColour(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
}

export function plotAxes(): UPlot.Axis[] {
  const font = "12px system-ui, sans-serif";
  const grid = { stroke: themeColour("line"), width: 1 };
  const axis = { stroke: themeColour("soft"), font, grid, ticks: { show: false } };
  return [
    { ...axis, size: 30 },
    { ...axis, size: 60 },
  ];
}

/** @param colour its number */
export function plotSeries(name: string, colour: number): UPlot.Series {
  return { label: name, stroke: themeColour(`c${colour}`), width: 2, spanGaps: true, points: { size: 4 } };
}

export function plotValue(value: number | null | undefined): string {
  return value === null || value === undefined ? "–" : String(Number(value.toPrecision(4)));
}
