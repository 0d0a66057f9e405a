/** Records of soft targets read and written per second through the cache's thread, lane by lane, what that costs of a core, and the longest turn of the main thread meanwhile. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { recordBytes } from "../core/caching.ts";
import { permutation } from "../core/permutation.ts";
import { purpose } from "../core/random.ts";
import { SoftTargetCache } from "../worker/cache/cache.ts";

/** As the students of a step: so many lanes are under way at once. */
const lanesAhead = 24;
const laneBatch = 128;

interface Rate {
  readonly perSecond: number;
  /** Of all threads. */
  readonly cpuMicrosecondsEach: number;
}

interface Measured {
  readonly classes: number;
  readonly format: string;
  readonly recordBytes: number;
  readonly written: Rate;
  readonly read: Rate;
  readonly longestTurnMs: number;
}

async function measure(classes: number, format: string, examples: number): Promise<Measured> {
  const dir = mkdtempSync(join(tmpdir(), "limbeck-bench-"));
  const key = {
    ...{ teacher: "t", dataset: "d", examples, classes, format, views: null, period: 1 },
    bits: { laneBatch, engine: "bench" },
  };
  const stop = (why: string) => {
    throw new Error(why);
  };
  const open = () => new SoftTargetCache({ dir, maxBytes: 2 ** 33, key }, stop);
  const lanes = lanesOf(examples);
  const logits = Float32Array.from({ length: laneBatch * classes }, (_, at) => (at % 64) / 4 - 8);
  const turns = monitorEventLoopDelay({ resolution: 1 });
  turns.enable();

  let cache = open();
  let rate = stopwatch(examples);
  for (const lane of lanes) {
    cache.keep(lane, 0, logits.slice(0, lane.length * classes));
    await cache.lookUp(lane, 0); // As a student does before; it also keeps the writes from piling up.
  }
  await cache.close();
  const written = rate();

  cache = open();
  await cache.lookUp(lanes[0]!, 0); // Its thread has started.
  rate = stopwatch(examples);
  let missing = 0;
  for (let at = 0; at < lanes.length; at += lanesAhead) {
    const found = await Promise.all(lanes.slice(at, at + lanesAhead).map((lane) => cache.lookUp(lane, 0)));
    missing += found.reduce((total, each) => total + each.missing.length, 0);
  }
  const read = rate();
  await cache.close();
  turns.disable();
  rmSync(dir, { recursive: true });
  if (missing > 0) throw new Error(`${missing} records are missing`);
  return {
    ...{ classes, format, recordBytes: recordBytes(key), written, read },
    longestTurnMs: Number((turns.max / 1e6).toFixed(1)),
  };
}

function stopwatch(records: number): () => Rate {
  const [started, before] = [performance.now(), process.cpuUsage()];
  return () => {
    const { user, system } = process.cpuUsage(before);
    return {
      perSecond: Math.round(records / ((performance.now() - started) / 1000)),
      cpuMicrosecondsEach: Number(((user + system) / records).toFixed(2)),
    };
  };
}

/** In the order of an epoch: nothing lies beside what is asked for with it. */
function lanesOf(examples: number): Uint32Array[] {
  const order = permutation(examples, purpose.order, 1, 0);
  return Array.from({ length: Math.ceil(examples / laneBatch) }, (_, lane) =>
    Uint32Array.from({ length: Math.min(laneBatch, examples - lane * laneBatch) }, (__, at) =>
      order(lane * laneBatch + at),
    ),
  );
}

const results = [
  await measure(10, "float16", 200_000),
  await measure(10, "float32", 200_000),
  await measure(1000, "float16", 50_000),
];
process.stdout.write(`${JSON.stringify({ bench: "cache", laneBatch, recordsPerSecond: results })}\n`);
