/** JSON and YAML that is whole, and not what was expected: keys that lack, are of another type, or mean something to JavaScript. */
import type { Draw } from "../draw.ts";

type Parent = Record<string, unknown> | unknown[];

interface Place {
  readonly parent: Parent;
  readonly key: string;
}

const nastyKeys = ["__proto__", "constructor", "prototype", "toString", "length", "kind", "", "0", "-1", "\0"];
const nastyValues: readonly (() => unknown)[] = [
  ...[null, true, false, 0, -1, 0.5, 3, 255, 65536, 2 ** 31, 2 ** 32, 2 ** 53, -(2 ** 53), 1e308, 5e-324].map(
    (value) => () => value,
  ),
  ...["", "x", "0", "\0", "../../canary", "/etc/passwd", "__proto__", "a\nb", "\u001b[2J", "💥"].map(
    (text) => () => text,
  ),
  () => "x".repeat(70_000),
  () => [],
  () => [[]],
  () => Array(1_000).fill(1),
  () => ({}),
  () => JSON.parse('{"__proto__":{"polluted":1},"toString":1,"length":1e9}'),
  () => nested(500),
];

function nested(depth: number): unknown {
  return depth === 0 ? 1 : [nested(depth - 1)];
}

/** A copy with one change, and seldom several. */
export function mutatedTree(tree: unknown, draw: Draw): unknown {
  if (draw.chance(0.02)) return draw.pick(nastyValues)();
  // In a box, the root has a place, too.
  const box = { root: structuredClone(tree) };
  for (let count = draw.chance(0.7) ? 1 : 1 + draw.below(5); count > 0; count--) change(box, draw);
  return box.root;
}

function change(box: { root: unknown }, draw: Draw): void {
  const places = placesIn(box);
  const { parent, key } = draw.pick(places);
  const value = (parent as Record<string, unknown>)[key];
  const isRemovable = parent !== box && !Array.isArray(parent);
  switch (draw.below(8)) {
    case 0:
      if (Array.isArray(parent)) parent.splice(Number(key), 1);
      else if (isRemovable) delete parent[key];
      break;
    case 1: {
      const from = draw.pick(places);
      put(parent, key, structuredClone((from.parent as Record<string, unknown>)[from.key]));
      break;
    }
    case 2:
      if (typeof value === "object" && value !== null)
        put(value as Parent, draw.pick(nastyKeys), draw.pick(nastyValues)());
      else put(parent, key, [value]);
      break;
    case 3:
      if (Array.isArray(value)) value.push(...Array(draw.pick([1, 1, 2, 500])).fill(value[0] ?? null));
      else put(parent, key, { value });
      break;
    case 4:
      if (isRemovable) delete parent[key];
      put(parent, isRemovable ? draw.pick(nastyKeys) : key, value);
      break;
    case 5:
      if (typeof value === "number") put(parent, key, draw.pick([-value, value + 1, value * 1e6, value / 3]));
      else put(parent, key, JSON.stringify(value) ?? "");
      break;
    default:
      put(parent, key, draw.pick(nastyValues)());
  }
}

/** An own property, whatever its name. */
function put(parent: Parent, key: string, value: unknown): void {
  Object.defineProperty(parent, key, { value, writable: true, enumerable: true, configurable: true });
}

/** Of all that is in it, the first few thousand. */
function placesIn(root: Parent): Place[] {
  const places: Place[] = [];
  const waiting: Parent[] = [root];
  for (let parent = waiting.pop(); parent !== undefined && places.length < 5_000; parent = waiting.pop()) {
    for (const key of Object.keys(parent)) {
      places.push({ parent, key });
      const value = (parent as Record<string, unknown>)[key];
      if (typeof value === "object" && value !== null) waiting.push(value as Parent);
    }
  }
  return places;
}
