/** The charts, and their newest values as a table. */
import type { CurveName, StagePast } from "../../../core/live/history.ts";
import { fixed, percent, whole } from "../../../core/words.ts";
import { colourOfStage, modelOfStage } from "../../report/models.ts";
import { LiveChart, type LiveSeries } from "./chart.ts";
import { byId, fillRows } from "./dom.ts";
import type { Model } from "./model.ts";

type Draw = (stages: readonly StagePast[]) => readonly LiveSeries[];

const byStage =
  (name: CurveName): Draw =>
  (stages) =>
    stages.map((past) => curve(past, name, modelOfStage[past.stage], colourOfStage[past.stage]));

const charts: readonly (readonly [title: string, draw: Draw])[] = [
  ["Training loss", byStage("loss")],
  ["Accuracy on the evaluation split, %", scores],
  ["Loss of the student by its terms", terms],
  ["Training accuracy, %", (stages) => byStage("accuracy")(stages).map(inPercent)],
  ["Agreement with the teacher while training, %", (stages) => byStage("agreement")(stages).map(inPercent)],
  ["Examples per second", byStage("samplesPerSecond")],
];

export function createCurves() {
  const drawn = charts.map(([title, draw]) => ({ chart: new LiveChart(title), draw }));
  byId("charts").append(...drawn.map(({ chart }) => chart.figure));
  return {
    show({ history }: Model) {
      const { stages } = history;
      for (const { chart, draw } of drawn) chart.show(draw(stages));
      fillRows(byId("values"), stages.map(newest));
    },
    redraw() {
      for (const { chart } of drawn) chart.redraw();
    },
    resize() {
      for (const { chart } of drawn) chart.resize();
    },
  };
}

function curve({ curves }: StagePast, of: CurveName, name: string, colour: number): LiveSeries {
  const [y, least, most] = [curves.values(of), curves.values(of, "least"), curves.values(of, "most")];
  return { name, colour, x: curves.epochs, y, least, most };
}

function scores(stages: readonly StagePast[]): LiveSeries[] {
  return stages.map(({ stage, scores }) =>
    inPercent({
      name: modelOfStage[stage],
      colour: colourOfStage[stage],
      x: scores.epochs,
      y: scores.values("accuracy"),
    }),
  );
}

function terms(stages: readonly StagePast[]): LiveSeries[] {
  return stages
    .filter(({ stage }) => stage === "distil")
    .flatMap((past) => [curve(past, "hardLoss", "to the labels", 2), curve(past, "softLoss", "to the teacher", 0)]);
}

function inPercent({ y, least, most, ...series }: LiveSeries): LiveSeries {
  const all = (values: readonly (number | null)[]) => values.map((value) => (value === null ? null : 100 * value));
  return { ...series, y: all(y), ...(least && most ? { least: all(least), most: all(most) } : {}) };
}

function newest({ stage, latest, scores, finished }: StagePast) {
  const share = (value: number | null | undefined) => (value === null || value === undefined ? "–" : percent(value));
  const score = (name: "errors" | "accuracy") => finished?.score[name] ?? scores.values(name).at(-1) ?? null;
  return [
    { text: modelOfStage[stage], colour: colourOfStage[stage] },
    ...[latest ? whole.format(latest.step) : "–", fixed(latest?.loss ?? null, 4)],
    ...[fixed(latest?.hardLoss ?? null, 4), fixed(latest?.softLoss ?? null, 4)],
    ...[share(latest?.accuracy), share(latest?.agreement)],
    ...[fixed(score("errors"), 0), share(score("accuracy")), latest ? whole.format(latest.samplesPerSecond) : "–"],
  ];
}
