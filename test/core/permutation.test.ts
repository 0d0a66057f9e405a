import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { permutation } from "../../core/permutation.ts";

const word = fc.integer({ min: 0, max: 0xffffffff });

test("every position of a count goes to a different one", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 3000 }), word, word, (count, seed, epoch) => {
      const order = permutation(count, seed, epoch);
      const reached = new Set(Array.from({ length: count }, (_, position) => order(position)));
      assert.equal(reached.size, count);
      for (const value of reached) assert.ok(Number.isInteger(value) && value >= 0 && value < count);
    }),
  );
});

test("a count beyond 32 bits keeps its positions apart and inside", () => {
  const count = 2 ** 40 + 12345;
  const order = permutation(count, 5);
  const positions = Array.from({ length: 2000 }, (_, i) => (i < 1000 ? i : count - 2000 + i));
  const reached = new Set(positions.map(order));
  assert.equal(reached.size, positions.length);
  for (const value of reached) assert.ok(Number.isSafeInteger(value) && value >= 0 && value < count);
  assert.ok([...reached].filter((value) => value >= 2 ** 39).length > 500, "spread over the whole range");
});

test("the order is a function of count and seed words, and differs between them", () => {
  const orderOf = (count: number, ...seed: number[]) =>
    Array.from({ length: 50 }, (_, position) => permutation(count, ...seed)(position)).join();
  assert.equal(orderOf(1000, 1, 2), orderOf(1000, 1, 2));
  const orders = [orderOf(1000, 1, 2), orderOf(1000, 2, 1), orderOf(1000, 1, 3), orderOf(1001, 1, 2)];
  assert.equal(new Set(orders).size, orders.length);
});

test("an order is no arithmetic run: neighbours land far apart, and position says nothing about place", () => {
  const count = 10_000;
  const order = permutation(count, 42);
  let near = 0;
  let covariance = 0;
  const middle = (count - 1) / 2;
  for (let position = 0; position < count; position++) {
    if (position > 0 && Math.abs(order(position) - order(position - 1)) < 100) near++;
    covariance += ((position - middle) * (order(position) - middle)) / count;
  }
  assert.ok(near < 400, `${near} of 10000 neighbours stay within 100 of each other, about 200 expected`);
  assert.ok(Math.abs(covariance / (count ** 2 / 12)) < 0.05, "correlation of position and place");
});

test("this order stays what it is: checkpoints and reports depend on it (L1)", () => {
  assert.deepEqual(
    Array.from({ length: 10 }, (_, position) => permutation(10, 1, 7, 0)(position)),
    [3, 4, 9, 7, 5, 1, 0, 6, 8, 2],
  );
});

test("a position outside the count is refused, not searched for without end", () => {
  for (const position of [-1, 10, 12, Number.NaN])
    assert.throws(() => permutation(10, 1)(position), /not in \[0, 10\)/);
});
