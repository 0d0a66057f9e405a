import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { BatchSize } from "../../../worker/softtargets/batchsize.ts";
import { CircuitBreaker } from "../../../worker/softtargets/breaker.ts";
import { HedgeBudget } from "../../../worker/softtargets/hedgebudget.ts";
import { Latencies } from "../../../worker/softtargets/latency.ts";
import { RequestQueue, type Waiting } from "../../../worker/softtargets/queue.ts";

type Entry = Waiting<string>;
let requests = 0;
const entry = (asker: string, dueMs: number, more: Partial<Entry> = {}): Entry => ({
  ...{ asker, request: ++requests, examples: 10, view: 0, dueMs, arrivedMs: 0 },
  ...more,
});

function filled(...entries: Entry[]): RequestQueue<string, Entry> {
  const queue = new RequestQueue<string, Entry>();
  for (const each of entries) queue.add(each);
  return queue;
}

const askers = (taken: readonly Entry[]) => taken.map(({ asker }) => asker).join("");
function all(queue: RequestQueue<string, Entry>, nowMs: number): string {
  let order = "";
  while (queue.length > 0) order += askers(queue.take(nowMs, 0));
  return order;
}

test("who runs dry first comes first", () => {
  const queue = filled(entry("a", 500), entry("a", 600), entry("b", 550), entry("c", 100));
  assert.equal(all(queue, 0), "caba");
});

test("those that are late are served in turns, whoever is later", () => {
  const queue = filled(...[1, 2, 3].map((due) => entry("a", due)), ...[90, 91].map((due) => entry("b", due)));
  assert.equal(all(queue, 100), "ababa");
});

test("requests of one view go together, up to a size, the most urgent first", () => {
  const queue = filled(entry("a", 3), entry("b", 2, { view: 1 }), entry("c", 1), entry("d", 4), entry("e", 9));
  assert.equal(queue.examples, 50);
  assert.equal(askers(queue.take(0, 30)), "cad");
  assert.equal(askers(queue.take(0, 30)), "b");
  assert.equal(askers(queue.take(0, 5)), "e", "what is too large by itself still goes");
  assert.deepEqual([queue.length, queue.examples, queue.oldestMs], [0, 0, null]);
});

test("a cancelled request and those of a student that has gone are not served", () => {
  const [first, second] = [entry("a", 1), entry("a", 2)];
  const queue = filled(first, second, entry("b", 3), entry("b", 4));
  queue.cancel("a", first.request);
  queue.cancel("a", 12345);
  queue.cancel("nobody", 1);
  queue.drop("b");
  queue.drop("nobody");
  assert.deepEqual(queue.take(0, 100), [second]);
  assert.equal(queue.length, 0);
});

test("each student's requests keep their order, none is lost and none is served twice", () => {
  const one = fc.record({
    asker: fc.constantFrom("a", "b", "c"),
    due: fc.nat(1000),
    view: fc.nat(2),
    examples: fc.nat(40),
  });
  fc.assert(
    fc.property(fc.array(one, { maxLength: 60 }), fc.nat(1000), fc.nat(64), (given, nowMs, most) => {
      const dues = new Map<string, number>();
      const entries = given.map(({ asker, due, ...rest }) => {
        dues.set(asker, (dues.get(asker) ?? 0) + due);
        return entry(asker, dues.get(asker)!, rest);
      });
      const queue = filled(...entries);
      const taken: Entry[] = [];
      while (queue.length > 0) {
        const pass = queue.take(nowMs, most);
        assert.ok(pass.length > 0 && new Set(pass.map(({ view }) => view)).size === 1);
        assert.ok(pass.length === 1 || pass.reduce((sum, { examples }) => sum + examples, 0) <= most);
        taken.push(...pass);
      }
      for (const asker of "abc") {
        const of = (list: readonly Entry[]) => list.filter((each) => each.asker === asker);
        assert.deepEqual(of(taken), of(entries));
      }
    }),
  );
});

/** Passes of the sizes it asks for, on a device where a pass takes so long. */
function settled(secondsOf: (examples: number) => number): number {
  const size = new BatchSize(64, 4096);
  for (let pass = 0; pass < 400; pass++) size.took(size.target, secondsOf(size.target));
  return size.target;
}

test("the size of a pass grows while that makes an example cheaper, and no further", () => {
  assert.equal(
    settled((n) => 0.01 + n * 1e-6),
    4096,
    "where the fixed cost rules, as large as can be",
  );
  const knee = settled((n) => 1e-4 * Math.max(n, 500));
  assert.ok(knee >= 512 && knee <= 1024, `${knee} for a device that is full with 500`);
  assert.ok(settled((n) => n * 1e-5) <= 128, "where only the examples cost, it stays small");
  const { patienceMs } = new BatchSize(64, 128);
  assert.equal(patienceMs, 0, "who has measured nothing does not wait");
});

test("a breaker opens for longer each time, lets one through when it is time, and closes when that succeeds", () => {
  const breaker = new CircuitBreaker({ firstMs: 100, longestMs: 300 }, () => 1);
  assert.ok(breaker.allows(0));
  breaker.failed(0);
  assert.deepEqual([breaker.allows(99), breaker.allows(100)], [false, true]);
  breaker.sent();
  assert.ok(!breaker.allows(100), "one request shows whether it is well again");
  breaker.failed(100);
  assert.deepEqual([breaker.allows(299), breaker.allows(300)], [false, true]);
  breaker.failed(300);
  breaker.failed(600);
  assert.equal(breaker.openUntilMs, 900, "never longer than the longest");
  breaker.sent();
  breaker.succeeded();
  assert.ok(breaker.allows(0));
  breaker.sent();
  assert.ok(breaker.allows(0), "a closed one lets all through");
});

test("latencies are of the latest answers", () => {
  const latencies = new Latencies();
  assert.equal(latencies.quantile(0.95), null);
  for (let time = 1; time <= 100; time++) latencies.add(time);
  assert.deepEqual([latencies.quantile(0.5), latencies.quantile(0.95), latencies.quantile(1)], [50, 95, 100]);
  for (let time = 0; time < 128; time++) latencies.add(7);
  assert.equal(latencies.quantile(1), 7);
});

test("hedges are few: some at first, then one for ten answers", () => {
  const budget = new HedgeBudget();
  let spent = 0;
  for (let answer = 0; answer < 1_000; answer++) {
    for (; budget.isLeft; spent++) budget.spend();
    budget.earn();
  }
  assert.ok(spent >= 100 && spent <= 104, `${spent} hedges for 1000 answers`);
});
