/** A reign on a store in memory, which a test can let wait. */
import { once } from "node:events";
import type { TestContext } from "node:test";
import { Registry } from "prom-client";
import { createServiceMetrics } from "../../../coordinator/service/metrics.ts";
import { Reign } from "../../../coordinator/service/reign.ts";
import type { ServiceRecord } from "../../../coordinator/service/vocabulary.ts";
import type { Leadership } from "../../../coordinator/store.ts";
import { type Log, silent } from "../../../proto/telemetry/log.ts";

export interface Reigning {
  readonly reign: Reign;
  /** Resolves when it decides no more. */
  readonly over: Promise<string>;
  /** Of the service's journal, as they are durable. */
  readonly records: () => readonly ServiceRecord[];
  /** Of a job's. */
  readonly recordsOf: (job: string) => readonly unknown[];
  /** Names of the journals that were asked for, in order. */
  readonly asked: readonly string[];
  readonly warnings: readonly string[];
  /** How often it has asked whether it may decide. */
  readonly looks: () => number;
  /** Writes that wait. */
  readonly waiting: () => number;
  /** The store is away, until what is returned is called. */
  readonly goAway: () => () => void;
}

export interface Before {
  /** What earlier leaders wrote, by the journal's name. */
  readonly journals?: Readonly<Record<string, readonly unknown[]>>;
  /** Journals that the store gives to nobody, and says nothing: they are waited for. */
  readonly withheld?: readonly string[];
}

/** @param folder jobs' run folders lie in it */
export async function reigning(
  t: TestContext,
  folder: string,
  { journals: before = {}, withheld = [] }: Before = {},
): Promise<Reigning> {
  const journals = new Map(Object.entries(before).map(([name, records]) => [name, [...records]]));
  const asked: string[] = [];
  const warnings: string[] = [];
  const log: Log = { ...silent, warn: (_: object, why: string) => void warnings.push(why) } as Log;
  let waiting = 0;
  let looks = 0;
  let isBack: Promise<void> = Promise.resolve();
  const durable = async (write: () => void) => {
    waiting++;
    await isBack;
    waiting--;
    write();
  };
  const leadership: Leadership = {
    fence: 1,
    holds: () => ++looks > 0,
    held: async () => {},
    lost: new Promise(() => {}),
    async journal<R>(name: string, until?: AbortSignal) {
      asked.push(name);
      if (withheld.includes(name)) {
        await (until ? once(until, "abort") : new Promise(() => {}));
        throw until?.reason;
      }
      const own = journals.get(name) ?? [];
      journals.set(name, own);
      return {
        records: [...own] as R[],
        note: "",
        append: (record: R) => durable(() => void own.push(structuredClone(record))),
        compact: (all: readonly R[]) => durable(() => void own.splice(0, own.length, ...structuredClone(all))),
        close: async () => {},
      };
    },
    events: async () => ({ events: [], append: async () => {}, close: async () => {} }),
    async forget(job) {
      journals.delete(job);
    },
    resign: async () => {},
  };
  const rpc = { address: "", send() {}, refuse() {}, dismiss() {}, async close() {} };
  const metrics = createServiceMetrics(new Registry());
  const served = () => ({ address: "", paths: [] });
  const own = { folder, depot: null, rpc: () => rpc, served, metrics, trouble: () => "", log, now: Date.now };
  const reign = await Reign.open({ leadership, retirePatienceMs: 100, ...own });
  const holding = reign.hold();
  t.after(async () => {
    reign.end("the test is over");
    await holding;
  });
  return {
    reign,
    over: holding,
    records: () => journals.get("service") as ServiceRecord[],
    recordsOf: (job) => journals.get(job)!,
    asked,
    warnings,
    looks: () => looks,
    waiting: () => waiting,
    goAway() {
      let back = () => {};
      isBack = new Promise((resolve) => {
        back = resolve;
      });
      return () => back();
    },
  };
}
