import assert from "node:assert/strict";
import { test } from "node:test";
import { cachePlan, isPlain, viewPeriod } from "../../core/caching.ts";
import { parseJob } from "../../core/jobfile.ts";
import { refusal, text } from "./samplejob.ts";

const plan = (...overrides: string[]) => cachePlan(parseJob(text, "job.yaml", overrides), "");

test("a view spec is plain that neither moves nor mirrors", () => {
  assert.ok(isPlain({ shift: 0, flip: false }));
  assert.ok(!isPlain({ shift: 1, flip: false }));
  assert.ok(!isPlain({ shift: 0, flip: true }));
});

test("plain examples come again every epoch, views after their period or never", () => {
  assert.equal(viewPeriod({ shift: 0, flip: false }), 1);
  assert.equal(viewPeriod({ shift: 0, flip: false, repeat: 5 }), 1);
  assert.equal(viewPeriod({ shift: 2, flip: false, repeat: 5 }), 5);
  assert.equal(viewPeriod({ shift: 2, flip: false }), Number.POSITIVE_INFINITY);
});

test("what comes again is cached, and the reason says what", () => {
  assert.deepEqual(plan(), {
    ...{ kind: "cached", views: 1 },
    why: "the examples of distil are plain, every epoch has the same",
  });
  assert.deepEqual(plan("distil.views={shift: 2, repeat: 3}"), {
    ...{ kind: "cached", views: 3 },
    why: "the views of distil come again every 3 epochs",
  });
});

test("endless views, a job that wants no cache, and teachers that advise against it are not, each with its reason", () => {
  const endless = plan("distil.views={shift: 2}");
  assert.equal(endless.kind, "uncached");
  assert.match(endless.why, /endless.*distil\.views\.repeat/);
  assert.equal(plan("softTargets.cache=false").kind, "uncached");
  const advised = cachePlan(parseJob(text, "job.yaml"), "row 3 differs");
  assert.deepEqual(advised, { kind: "uncached", why: "row 3 differs" });
  // The views of teach are nobody's soft targets.
  assert.equal(plan("teach.views={shift: 2}").kind, "cached");
});

test("a cache that is neither false nor a mapping of what it knows is refused", () => {
  assert.match(
    refusal(text, ["softTargets.cache=true"]),
    /must be false or a mapping with dir and maxBytes, found true/,
  );
  assert.match(refusal(text, ["softTargets.cache={maxByte: 3}"]), /maxByte: unknown key; did you mean maxBytes\?/);
  assert.match(refusal(text, ["softTargets.cache=[1]"]), /found a list/);
  assert.match(refusal(text, ["distil.views.repeat=0"]), /greater than 0/);
});
