import assert from "node:assert/strict";
import { test } from "node:test";
import { asLimbeckError, LimbeckError } from "../../core/errors.ts";

test("what the user must change exits with 2, a failure with 1", () => {
  assert.equal(new LimbeckError("usage", "x").exitCode, 2);
  assert.equal(new LimbeckError("bad_job", "x").exitCode, 2);
  for (const code of ["bad_data", "diverged", "internal"] as const)
    assert.equal(new LimbeckError(code, "x").exitCode, 1);
});

test("anything thrown becomes a LimbeckError that keeps its cause; ours stays itself", () => {
  const ours = new LimbeckError("timeout", "late");
  assert.equal(asLimbeckError(ours), ours);
  const thrown = new TypeError("odd");
  const wrapped = asLimbeckError(thrown);
  assert.deepEqual([wrapped.code, wrapped.message, wrapped.cause], ["internal", "odd", thrown]);
  assert.equal(asLimbeckError("text").message, "text");
});
