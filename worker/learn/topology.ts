/** Reading and rewriting a model's architecture as JSON, Keras-style, as `LayersModel.toJSON` gives it. */

interface LayerJson {
  class_name: string;
  config: LayerConfig | LayerJson[];
}

interface LayerConfig {
  name?: string;
  activation?: unknown;
  layers?: LayerJson[];
  output_layers?: unknown;
}

/** True where the model's last layer is or ends in a softmax: it gives probabilities, not logits. */
export function endsInSoftmax(topology: unknown): boolean {
  const last = lastLayer(rootOf(topology));
  return last !== null && (last.class_name === "Softmax" || isSoftmax(configOf(last).activation));
}

/** The same model without a softmax at its end: it gives logits. */
export function withoutSoftmax(topology: object): object {
  const copy = structuredClone(topology);
  const last = lastLayer(rootOf(copy));
  if (last === null || !endsInSoftmax(copy)) return copy;
  const config = configOf(last);
  if (last.class_name === "Softmax") {
    last.class_name = "Activation";
    delete (config as { axis?: unknown }).axis;
  }
  config.activation = "linear";
  return copy;
}

/**
 * Stable names for layers that have none of their own. tfjs names those by counters of the process
 * (`dense_Dense7`), so two replicas, or two builds in one process, would differ; here they are counted per model.
 */
export function stableNames(topology: unknown): ReadonlyMap<string, string> {
  const names = new Map<string, string>();
  const counts = new Map<string, number>();
  const visit = (node: unknown): void => {
    if (typeof node !== "object" || node === null) return;
    const { class_name: className, config } = node as Partial<LayerJson>;
    const name = typeof className === "string" && config && !Array.isArray(config) ? config.name : undefined;
    const stem = typeof name === "string" ? countedStem(name, className!) : null;
    if (stem !== null && !names.has(name!)) {
      const count = (counts.get(stem) ?? 0) + 1;
      counts.set(stem, count);
      names.set(name!, stem + count);
    }
    for (const inner of Object.values(node)) visit(inner);
  };
  visit(topology);
  return names;
}

/** The same JSON with names replaced, wherever they stand. */
export function renamed(node: unknown, names: ReadonlyMap<string, string>): unknown {
  if (typeof node === "string") return names.get(node) ?? node;
  if (Array.isArray(node)) return node.map((inner) => renamed(inner, names));
  if (typeof node !== "object" || node === null) return node;
  return Object.fromEntries(Object.entries(node).map(([key, inner]) => [key, renamed(inner, names)]));
}

/** `dense_Dense` of `dense_Dense7`; null for a name that somebody gave. */
function countedStem(name: string, className: string): string | null {
  const stem = name.replace(/\d+$/, "");
  const given = className.toLowerCase();
  const isCounted = stem !== name && (stem.endsWith(`_${className}`) || ["input", "sequential_", given].includes(stem));
  return isCounted ? stem : null;
}

function rootOf(topology: unknown): LayerJson {
  const { model_config: inner } = topology as { model_config?: LayerJson };
  return inner ?? (topology as LayerJson);
}

function lastLayer(layer: LayerJson): LayerJson | null {
  const { config } = layer;
  const layers = Array.isArray(config) ? config : config?.layers;
  if (layers === undefined) return layer;
  const output = Array.isArray(config) ? undefined : outputName(config.output_layers);
  const last = layers.find((candidate) => output !== undefined && configOf(candidate).name === output) ?? layers.at(-1);
  return last ? lastLayer(last) : null;
}

/** `[["name", 0, 0]]` or `["name", 0, 0]`. */
function outputName(outputLayers: unknown): unknown {
  const first: unknown = Array.isArray(outputLayers) ? outputLayers[0] : undefined;
  return Array.isArray(first) ? first[0] : first;
}

function configOf(layer: LayerJson): LayerConfig {
  return Array.isArray(layer.config) ? {} : (layer.config ?? {});
}

function isSoftmax(activation: unknown): boolean {
  if (typeof activation === "string") return activation === "softmax";
  return typeof activation === "object" && activation !== null && "class_name" in activation
    ? activation.class_name === "softmax"
    : false;
}
