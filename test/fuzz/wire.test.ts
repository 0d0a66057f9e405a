/** A minute under attack, by every gRPC method there is: the processes live, stay small and serve others, and the job's bits are what they were. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { permissions } from "../../core/security/permissions.ts";
import { scratchFolder } from "../e2e/limbeck.ts";
import { fuzz } from "./wire/fuzz.ts";
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

test("under attack by every method, others are served and the weights are those of an undisturbed run (L1)", {
  timeout: 290_000,
}, async (t) => {
  const folder = join(await scratchFolder(t), "fuzz");
  const notes: string[] = [];
  const { targets, wrong } = await fuzz({ folder, seed: 7, seconds: 60, note: (line) => notes.push(line) });
  for (const [name, { methods, ...figures }] of Object.entries(targets)) {
    t.diagnostic(`${name}: ${JSON.stringify(figures)}`);
    for (const [method, { calls }] of Object.entries(methods))
      assert.ok(calls > 0, `${name}: ${method} was not called`);
    assert.ok(figures.answered > 0, name);
  }
  assert.deepEqual(wrong, [], notes.join("\n"));
});
