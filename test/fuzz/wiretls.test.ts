/** A service by mTLS under attack, in a file of its own for its time: see wire.test.ts. */
import { test } from "node:test";
import { attacked } from "./wire/attacked.ts";

test("strangers, and who holds a worker's certificate, change nothing and keep nobody out", (t) =>
  attacked(t, "by mTLS"));
