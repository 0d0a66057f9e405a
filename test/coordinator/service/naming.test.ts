import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { checkSubmission, idOf, labelOf } from "../../../coordinator/service/naming.ts";
import { choose, haveOf, meets } from "../../../coordinator/service/needs.ts";
import type { Seat, WorkerRole } from "../../../coordinator/service/vocabulary.ts";

test("no two of 65,536 submissions in a row have the same id, and an id is a label of DNS", () => {
  const name = "a".repeat(58);
  const ids = new Set(Array.from({ length: 65_536 }, (_, at) => idOf(name, at + 40_000)));
  assert.equal(ids.size, 65_536);
  for (const id of ids) assert.match(id, /^[a-z0-9-]{63}$/);
});

test("every name that a job file may have gives a name of a submission", () => {
  for (const [jobName, label] of [
    ["mnist", "mnist"],
    ["MNIST_mlp.v2", "mnist-mlp-v2"],
    ["a-", "a"],
    ["0", "0"],
    ["x".repeat(80), "x".repeat(58)],
  ] as const) {
    assert.equal(labelOf(jobName), label);
  }
  fc.assert(
    fc.property(fc.stringMatching(/^[a-zA-Z0-9][a-zA-Z0-9._-]*$/), (jobName) => {
      checkSubmission({ name: labelOf(jobName), priority: 0 });
    }),
  );
});

test("whom a job chooses is as many as it needs, and they will do", () => {
  const roles = fc.array(fc.constantFrom<WorkerRole>("student", "teacher", "auto"), { maxLength: 12 });
  fc.assert(
    fc.property(roles, fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 4 }), (all, students, teachers) => {
      const rest = { instance: "", place: { kind: "idle" }, sinceMs: 0, why: "" } as const;
      const seats = all.map((role, session): Seat => ({ session, worker: `w${session}`, role, ...rest }));
      const need = { students, teachers };
      const chosen = choose(seats, need);
      assert.equal(chosen !== null, meets(haveOf(seats), need));
      if (chosen === null) return;
      assert.equal(new Set(chosen).size, students + teachers);
      assert.ok(meets(haveOf(chosen), need));
    }),
  );
});
