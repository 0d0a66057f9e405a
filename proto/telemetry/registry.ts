/** Metrics as prom-client has them, made from their definitions. A process has one registry. */
import { Counter, Gauge, Histogram, type Registry } from "prom-client";
import {
  type CounterDefinition,
  type GaugeDefinition,
  type HistogramDefinition,
  type Labels,
  labelSets,
  type MetricDefinition,
  type MetricDefinitions,
} from "../../core/metrics/definition.ts";

type Label<L extends Labels> = keyof L & string;

type MetricOf<D extends MetricDefinition> =
  D extends CounterDefinition<infer L>
    ? Counter<Label<L>>
    : D extends GaugeDefinition<infer L>
      ? Gauge<Label<L>>
      : D extends HistogramDefinition<infer L>
        ? Histogram<Label<L>>
        : never;

export type MetricsOf<D extends MetricDefinitions> = { readonly [K in keyof D]: MetricOf<D[K]> };

/** Registers all of them, by the names the code has for them. Throws where a name is there already. */
export function register<const D extends MetricDefinitions>(registry: Registry, definitions: D): MetricsOf<D> {
  const made = Object.entries(definitions).map(([key, definition]) => [key, metricOf(registry, definition)]);
  return Object.fromEntries(made) as MetricsOf<D>;
}

function metricOf(registry: Registry, definition: MetricDefinition) {
  const { name, help, labels } = definition;
  const common = { name, help, labelNames: Object.keys(labels), registers: [registry] };
  switch (definition.type) {
    case "counter": {
      const counter = new Counter(common);
      for (const set of labelSets(labels)) counter.inc(set, 0);
      return counter;
    }
    case "histogram": {
      const histogram = new Histogram({ ...common, buckets: [...definition.buckets] });
      for (const set of labelSets(labels)) histogram.zero(set);
      return histogram;
    }
    case "gauge": {
      const gauge = new Gauge(common);
      // prom-client gives one without labels a zero that nobody has measured.
      if (common.labelNames.length === 0) gauge.remove();
      return gauge;
    }
  }
}
