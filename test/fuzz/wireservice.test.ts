/** A service under attack, in a file of its own for its time: see wire.test.ts. */
import { test } from "node:test";
import { attacked } from "./wire/attacked.ts";

test("a service under attack serves others, and its job ends with the weights of an undisturbed one (L1)", (t) =>
  attacked(t, "service"));
