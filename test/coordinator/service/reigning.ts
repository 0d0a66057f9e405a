/** A reign on a store in memory, which a test can let wait. */
import type { TestContext } from "node:test";
import { Registry } from "prom-client";
import { createServiceMetrics } from "../../../coordinator/service/metrics.ts";
import { Reign } from "../../../coordinator/service/reign.ts";
import type { ServiceRecord } from "../../../coordinator/service/vocabulary.ts";
import type { Leadership } from "../../../coordinator/store.ts";
import { silent } from "../../../proto/telemetry/log.ts";

export interface Reigning {
  readonly reign: Reign;
  /** Of the service's journal, as they are durable. */
  readonly records: () => readonly ServiceRecord[];
  /** Writes that wait. */
  readonly waiting: () => number;
  /** The store is away, until what is returned is called. */
  readonly goAway: () => () => void;
}

/** @param folder jobs' run folders lie in it */
export async function reigning(t: TestContext, folder: string): Promise<Reigning> {
  const journals = new Map<string, unknown[]>();
  let waiting = 0;
  let isBack: Promise<void> = Promise.resolve();
  const durable = async (write: () => void) => {
    waiting++;
    await isBack;
    waiting--;
    write();
  };
  const leadership: Leadership = {
    fence: 1,
    holds: () => true,
    held: async () => {},
    lost: new Promise(() => {}),
    async journal<R>(name: string) {
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
  const own = { folder, depot: null, rpc: () => rpc, served, metrics, trouble: () => "", log: silent, now: Date.now };
  const reign = await Reign.open({ leadership, ...own });
  const holding = reign.hold();
  t.after(async () => {
    reign.end("the test is over");
    await holding;
  });
  return {
    reign,
    records: () => journals.get("service") as ServiceRecord[],
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
