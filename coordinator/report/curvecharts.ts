/** A run's curves as charts. */
import type { CurveName, StageCurves } from "../../core/curves.ts";
import type { Chart, Series } from "./chart.ts";
import { colourOfStage, modelOfStage } from "./models.ts";

/** What to call one of these curves. */
export interface Drawn {
  readonly name: string;
  readonly colour: number;
  readonly curves: StageCurves;
}

/** Of one run: a curve for each stage that trained. */
export function runCharts(stages: readonly StageCurves[]): readonly Chart[] {
  const trained = stages.map((curves) => {
    const { stage } = curves;
    return { name: modelOfStage[stage], colour: colourOfStage[stage], curves };
  });
  const distilled = trained.filter(({ curves }) => curves.stage === "distil");
  const softTerm: Chart = {
    title: "Loss of the student by its terms",
    series: distilled.flatMap(({ curves }) => [
      { name: "to the labels", colour: 2, x: curves.epochs, y: curves.values.hardLoss },
      { name: "to the teacher", colour: 0, x: curves.epochs, y: curves.values.softLoss },
    ]),
  };
  const [loss, ...others] = overlaid(trained);
  // Without events, which a store may have let go, nothing is there to draw.
  return [...(loss ? [loss] : []), softTerm, ...others].filter(hasPoints);
}

/** The same curves of several stages, one over the other. */
export function overlaid(drawn: readonly Drawn[]): readonly Chart[] {
  const chart = (title: string, name: CurveName): Chart => ({ title, series: seriesOf(drawn, name) });
  const evaluations: Chart = {
    title: "Errors on the evaluation split",
    series: drawn.map(({ name, colour, curves: { evaluations } }) => ({
      ...{ name, colour, x: evaluations.epochs, y: evaluations.errors },
    })),
  };
  return [
    chart("Training loss", "loss"),
    evaluations,
    chart("Training accuracy", "accuracy"),
    chart("Agreement with the teacher while training", "agreement"),
    chart("Examples per second", "samplesPerSecond"),
    chart("Learning rate", "learningRate"),
  ].filter(hasPoints);
}

function seriesOf(drawn: readonly Drawn[], name: CurveName): Series[] {
  const series = drawn.map((each) => ({
    ...{ name: each.name, colour: each.colour, x: each.curves.epochs, y: each.curves.values[name] },
  }));
  return series.filter(({ y }) => y.some((value) => value !== null));
}

function hasPoints({ series }: Chart): boolean {
  return series.some(({ x }) => x.length > 0);
}
