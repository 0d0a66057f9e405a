/**
 * Which part of the teacher each teacher worker serves. A soft target needs every part, so the slowest part is what all
 * wait for. Whoever has a part keeps it, for another would have to be loaded, unless a part would have nobody.
 */
import { median } from "./median.ts";

export interface PartWorker {
  readonly name: string;
  /** The part it serves, or gets ready to serve; null where none. */
  readonly part: number | null;
  /** It takes for an example of that part, as measured; null where it was not. */
  readonly secondsPerExample: number | null;
}

/**
 * By worker; every part has one where there are as many workers as parts.
 * @param workers who is to move first of those that can be spared comes last
 */
export function dealParts(parts: number, workers: readonly PartWorker[]): ReadonlyMap<string, number> {
  let dealt = workers.map((worker) => (worker.part !== null && worker.part < parts ? worker : moved(worker, null)));
  for (const free of dealt.filter(({ part }) => part === null)) dealt = give(dealt, free, weakest(parts, dealt));
  for (const idle of partsWithout(parts, dealt)) {
    const spare = spareWorker(parts, dealt);
    if (spare) dealt = give(dealt, spare, idle);
  }
  return new Map(dealt.map(({ name, part }) => [name, part!]));
}

/** Parts that no worker has. */
export function partsWithout(parts: number, workers: readonly Pick<PartWorker, "part">[]): number[] {
  const held = new Set(workers.map(({ part }) => part));
  return Array.from({ length: parts }, (_, part) => part).filter((part) => !held.has(part));
}

/** Examples a second of each part, all its workers together. One whose pace is not known counts as the middle one of its part, else of all. */
export function partRates(parts: number, workers: readonly PartWorker[]): number[] {
  const known = (some: readonly PartWorker[]) =>
    median(some.flatMap(({ secondsPerExample }) => secondsPerExample ?? []));
  const middle = known(workers) ?? 1;
  return Array.from({ length: parts }, (_, part) => {
    const own = workers.filter((worker) => worker.part === part);
    const usual = known(own) ?? middle;
    return own.reduce((sum, { secondsPerExample }) => sum + 1 / (secondsPerExample ?? usual), 0);
  });
}

function weakest(parts: number, workers: readonly PartWorker[]): number {
  const rates = partRates(parts, workers);
  return rates.indexOf(Math.min(...rates));
}

/** The last worker of the part that can best spare one; undefined where each part has no more than one. */
function spareWorker(parts: number, workers: readonly PartWorker[]): PartWorker | undefined {
  const rates = partRates(parts, workers);
  const crews = rates.map((rate, part) => ({ rate, crew: workers.filter((worker) => worker.part === part) }));
  const able = crews.filter(({ crew }) => crew.length > 1).sort((one, other) => other.rate - one.rate);
  return able[0]?.crew.at(-1);
}

function give(workers: readonly PartWorker[], { name }: PartWorker, part: number): PartWorker[] {
  return workers.map((worker) => (worker.name === name ? moved(worker, part) : worker));
}

/** What was measured was of another part. */
function moved(worker: PartWorker, part: number | null): PartWorker {
  return { ...worker, part, secondsPerExample: null };
}
