/** What a metric is: its name, its meaning, and how many series it can have. Registries and docs/metrics.md come from this. */

/** All values there can be; or, where only a running job knows them, what bounds them, in words. */
export type LabelValues = readonly string[] | string;

export interface Labels {
  readonly [label: string]: LabelValues;
}

interface Described<L extends Labels> {
  /** With its base unit, and `_total` where it counts. */
  readonly name: string;
  readonly help: string;
  readonly labels: L;
}

/** Starts at zero, for every set of labels whose values are known. */
export interface CounterDefinition<L extends Labels = Labels> extends Described<L> {
  readonly type: "counter";
}

/** There once it was set: a zero would be an answer. */
export interface GaugeDefinition<L extends Labels = Labels> extends Described<L> {
  readonly type: "gauge";
}

/** Starts at zero, as a counter does. */
export interface HistogramDefinition<L extends Labels = Labels> extends Described<L> {
  readonly type: "histogram";
  /** Upper bounds, ascending. */
  readonly buckets: readonly number[];
}

export type MetricDefinition<L extends Labels = Labels> =
  | CounterDefinition<L>
  | GaugeDefinition<L>
  | HistogramDefinition<L>;

/** Those of a part of a process, by what the code calls them. */
export interface MetricDefinitions {
  readonly [key: string]: MetricDefinition;
}

// biome-ignore lint/complexity/noBannedTypes: no label at all
type None = {};

export function counter<const L extends Labels = None>(name: string, help: string, labels?: L): CounterDefinition<L> {
  return { type: "counter", name: `limbeck_${name}`, help, labels: labels ?? ({} as L) };
}

export function gauge<const L extends Labels = None>(name: string, help: string, labels?: L): GaugeDefinition<L> {
  return { type: "gauge", name: `limbeck_${name}`, help, labels: labels ?? ({} as L) };
}

export function histogram<const L extends Labels = None>(
  name: string,
  help: string,
  { buckets, labels }: { readonly buckets: readonly number[]; readonly labels?: L },
): HistogramDefinition<L> {
  return { type: "histogram", name: `limbeck_${name}`, help, buckets, labels: labels ?? ({} as L) };
}

/** Every set of labels there can be; none where a value is not known before. */
export function labelSets(labels: Labels): Record<string, string>[] {
  return Object.entries(labels).reduce<Record<string, string>[]>(
    (sets, [label, values]) =>
      typeof values === "string" ? [] : sets.flatMap((set) => values.map((value) => ({ ...set, [label]: value }))),
    [{}],
  );
}

/** From half a millisecond to half a minute: a small model's phases and a large one's. */
export const secondsBuckets = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

/** For what takes from an instant to minutes: faults, checkpoints. */
export const longSecondsBuckets = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300];
