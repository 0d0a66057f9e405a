/** A job under attack, by every gRPC method there is: the processes live, stay small and serve others, and the job's bits are what they were. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { permissions } from "../../core/security/permissions.ts";
import { attacked } from "./wire/attacked.ts";
import { methodsOf, pathsOnTheWire } from "./wire/methods.ts";
import { samplesOf } from "./wire/samples.ts";

const served = ["coordinator", "service", "worker"] as const;

test("every method that anybody may call is attacked", () => {
  const methods = served.flatMap(methodsOf);
  const paths = [...new Set(methods.map(({ path }) => path))].sort();
  assert.deepEqual(paths, Object.keys(permissions).sort());
  for (const path of pathsOnTheWire()) assert.ok(paths.includes(path), path);
  const known = { job: "", term: 1, digest: "d", yaml: "name: a" };
  for (const method of methods) {
    const samples = samplesOf(method, known);
    assert.ok(samples.length > 0, method.path);
    for (const sample of samples) method.decode(method.encode(sample));
  }
});

test("a job under attack ends with the weights of an undisturbed one (L1), and others are served meanwhile", (t) =>
  attacked(t, "one job"));
