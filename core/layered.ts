/** Maps that are never written to, but change with every message: with many entries a copy for each would cost more than all else. */

/** With fewer entries a copy is as cheap. */
const fewEntries = 64;
/** Changes that are kept beside the map they were made to, before all are put into one again. */
const mostChanges = 32;

/** The same as `new Map(map).set(key, value)`, in its order too, for a fraction of its cost where the map is large. */
export function withEntry<K, V>(map: ReadonlyMap<K, V>, key: K, value: V): ReadonlyMap<K, V> {
  if (map.size < fewEntries) return new Map(map).set(key, value);
  if (!(map instanceof Layered)) return new Layered<K, V>(map, new Map([[key, value]]));
  const { base, changes } = map as Layered<K, V>;
  if (changes.size >= mostChanges) return merged(base, changes).set(key, value);
  return new Layered<K, V>(base, new Map(changes).set(key, value));
}

/** A Map is copied as a whole, and what is made of its entries one by one takes ten times as long. */
function merged<K, V>(base: ReadonlyMap<K, V>, changes: ReadonlyMap<K, V>): Map<K, V> {
  const all = new Map(base);
  for (const [key, value] of changes) all.set(key, value);
  return all;
}

class Layered<K, V> implements ReadonlyMap<K, V> {
  readonly base: ReadonlyMap<K, V>;
  readonly changes: ReadonlyMap<K, V>;
  readonly size: number;

  constructor(base: ReadonlyMap<K, V>, changes: ReadonlyMap<K, V>) {
    this.base = base;
    this.changes = changes;
    let size = base.size;
    for (const key of changes.keys()) if (!base.has(key)) size++;
    this.size = size;
  }

  get(key: K): V | undefined {
    return this.changes.has(key) ? this.changes.get(key) : this.base.get(key);
  }

  has(key: K): boolean {
    return this.changes.has(key) || this.base.has(key);
  }

  *entries(): MapIterator<[K, V]> {
    const { base, changes } = this;
    for (const [key, value] of base) yield [key, changes.has(key) ? changes.get(key)! : value];
    for (const [key, value] of changes) if (!base.has(key)) yield [key, value];
  }

  *keys(): MapIterator<K> {
    yield* this.base.keys();
    for (const key of this.changes.keys()) if (!this.base.has(key)) yield key;
  }

  *values(): MapIterator<V> {
    for (const [, value] of this.entries()) yield value;
  }

  [Symbol.iterator](): MapIterator<[K, V]> {
    return this.entries();
  }

  forEach(callback: (value: V, key: K, map: ReadonlyMap<K, V>) => void): void {
    for (const [key, value] of this.entries()) callback(value, key, this);
  }
}
