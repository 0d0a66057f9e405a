/** The kinds of panels that the dashboards are made of. Every panel has a description and a unit. */
import {
  BigValueColorMode,
  BigValueTextMode,
  LegendDisplayMode,
  LegendPlacement,
  ReduceDataOptionsBuilder,
  SortOrder,
  StackingConfigBuilder,
  StackingMode,
  TooltipDisplayMode,
  VizLegendOptionsBuilder,
  VizTooltipOptionsBuilder,
} from "@grafana/grafana-foundation-sdk/common";
import {
  type DataSourceRef,
  type Threshold,
  ThresholdsConfigBuilder,
  ThresholdsMode,
} from "@grafana/grafana-foundation-sdk/dashboard";
import { DataqueryBuilder, PromQueryFormat } from "@grafana/grafana-foundation-sdk/prometheus";
import { PanelBuilder as StatBuilder } from "@grafana/grafana-foundation-sdk/stat";
import { PanelBuilder as StateTimelineBuilder } from "@grafana/grafana-foundation-sdk/statetimeline";
import { PanelBuilder as TableBuilder } from "@grafana/grafana-foundation-sdk/table";
import { PanelBuilder as ChartBuilder } from "@grafana/grafana-foundation-sdk/timeseries";

export const datasource: DataSourceRef = { type: "prometheus", uid: "$datasource" };

/** Labels of what the coordinator serves, of what the chosen workers serve, and of what the coordinator sees of these. */
export const ofJob = 'limbeck_job="$job"';
export const ofWorkers = `${ofJob}, limbeck_worker=~"$worker"`;
export const ofSeen = `${ofJob}, worker=~"$worker"`;

/** A query, and what its series are called: {{label}} is replaced. */
export type Line = readonly [expr: string, legend: string];

export interface PanelText {
  readonly title: string;
  /** What is shown, and what would be wrong. */
  readonly description: string;
  /** Of Grafana's units. */
  readonly unit: string;
}

export interface ChartOptions {
  /** Of 24. */
  readonly width?: number;
  readonly isStacked?: boolean;
  readonly max?: number;
}

const widthOfChart = 12;
const heightOfChart = 8;
const heightOfFigure = 4;

/** Lines over time. */
export function chart({ title, description, unit }: PanelText, lines: readonly Line[], options: ChartOptions = {}) {
  const { width = widthOfChart, isStacked = false, max } = options;
  const legend = new VizLegendOptionsBuilder().displayMode(LegendDisplayMode.List).placement(LegendPlacement.Bottom);
  const tooltip = new VizTooltipOptionsBuilder().mode(TooltipDisplayMode.Multi).sort(SortOrder.Descending);
  const panel = new ChartBuilder()
    .title(title)
    .description(description)
    .datasource(datasource)
    .unit(unit)
    .height(heightOfChart)
    .span(width)
    .legend(legend.showLegend(true).calcs([]))
    .tooltip(tooltip)
    .fillOpacity(isStacked ? 40 : 5)
    .targets(lines.map(query));
  for (const [stage, model] of modelOfStage) {
    panel.overrideByName(stage, [{ id: "displayName", value: model }]);
  }
  if (isStacked) panel.stacking(new StackingConfigBuilder().mode(StackingMode.Normal));
  if (isStacked || max !== undefined) panel.min(0);
  if (max !== undefined) panel.max(max);
  return panel;
}

/** Whose a stage's figures are. */
const modelOfStage = [
  ["teach", "teacher"],
  ["distil", "student"],
  ["baseline", "baseline"],
] as const;

export interface FigureOptions {
  readonly width?: number;
  /** From which value on it is yellow, and red. */
  readonly warns?: readonly [yellow: number | null, red: number];
  readonly shows?: "value" | "name" | "both";
}

/** What holds now, large. */
export function figure({ title, description, unit }: PanelText, lines: readonly Line[], options: FigureOptions = {}) {
  const { width = 4, warns, shows = "value" } = options;
  const text = { value: BigValueTextMode.Value, name: BigValueTextMode.Name, both: BigValueTextMode.ValueAndName };
  return new StatBuilder()
    .title(title)
    .description(description)
    .datasource(datasource)
    .unit(unit)
    .height(heightOfFigure)
    .span(width)
    .textMode(text[shows])
    .colorMode(warns ? BigValueColorMode.Background : BigValueColorMode.Value)
    .thresholds(new ThresholdsConfigBuilder().mode(ThresholdsMode.Absolute).steps(steps(warns)))
    .reduceOptions(new ReduceDataOptionsBuilder().calcs(["lastNotNull"]).values(false))
    .targets(lines.map((line, at) => query(line, at).instant()));
}

function steps(warns: FigureOptions["warns"]): Threshold[] {
  const base = { color: warns ? "green" : "text", value: null };
  if (!warns) return [base];
  const [yellow, red] = warns;
  return [base, ...(yellow === null ? [] : [{ color: "yellow", value: yellow }]), { color: "red", value: red }];
}

/** Which of several states holds, over time. A query's series are 1 where theirs does. */
export function states({ title, description, unit }: PanelText, lines: readonly Line[], width = 24) {
  return new StateTimelineBuilder()
    .title(title)
    .description(description)
    .datasource(datasource)
    .unit(unit)
    .height(heightOfChart)
    .span(width)
    .mergeValues(true)
    .targets(lines.map(query));
}

/** The labels of what holds now, a row each. @param hidden columns */
export function table({ title, description, unit }: PanelText, expr: string, hidden: readonly string[], width = 12) {
  return new TableBuilder()
    .title(title)
    .description(description)
    .datasource(datasource)
    .unit(unit)
    .height(heightOfChart)
    .span(width)
    .targets([query([expr, ""], 0).instant().format(PromQueryFormat.Table)])
    .withTransformation({
      id: "organize",
      options: {
        excludeByName: Object.fromEntries(["Time", "__name__", "job", ...hidden].map((each) => [each, true])),
      },
    });
}

function query([expr, legend]: Line, at: number): DataqueryBuilder {
  return new DataqueryBuilder()
    .refId(String.fromCharCode("A".charCodeAt(0) + at))
    .datasource(datasource)
    .expr(expr)
    .legendFormat(legend)
    .range();
}

/** The q-quantiles of a histogram of Limbeck, over all that `by` does not tell apart. */
export function quantiles(histogram: string, selector: string, by: readonly string[] = []): Line[] {
  const labels = ["le", ...by].join(", ");
  const suffix = by.map((label) => ` {{${label}}}`).join("");
  return [0.5, 0.95, 0.99].map((q) => [
    `histogram_quantile(${q}, sum by (${labels}) (rate(${histogram}_bucket{${selector}}[$__rate_interval])))`,
    `p${q * 100}${suffix}`,
  ]);
}

/** A counter's increase a second. @param by labels that tell its series apart */
export function rate(counter: string, selector: string, by: readonly string[]): string {
  return `sum by (${by.join(", ")}) (rate(${counter}{${selector}}[$__rate_interval]))`;
}
