/** docs/events.md is what the code has: kinds and fields by the compiler, types by the events of a job. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { eventsDefinitions, eventsReference } from "../../cli/eventsreference.ts";
import { type EventDefinition, eventDefinitions, type FieldType, sharedShapes } from "../../core/eventdefinitions.ts";
import type { ProgressEvent } from "../../core/events.ts";
import { phases } from "../../core/phases.ts";
import { termReasons } from "../../core/termreason.ts";
import { packagePath } from "../../proto/package.ts";
import { bounded, cast, started } from "../coordinator/sessions.ts";
import { finishedRun } from "../e2e/limbeck.ts";

const definitions: Readonly<Record<string, EventDefinition>> = eventDefinitions;

test("docs/events.md is what the definitions say; `limbeck schema --events > docs/events.md` makes it again", () => {
  assert.equal(readFileSync(packagePath("docs/events.md"), "utf8"), eventsReference());
  assert.equal(eventsDefinitions().length, Object.keys(definitions).length);
  for (const word of termReasons) assert.ok(eventsReference().includes(`\`${word}\``), word);
  assert.deepEqual(Object.keys(sharedShapes.Phases), [...phases]);
});

const isList = (value: unknown, is: (each: unknown) => boolean) => Array.isArray(value) && value.every(is);
const hasFields = (value: unknown, shape: keyof typeof sharedShapes) =>
  typeof value === "object" &&
  value !== null &&
  String(Object.keys(value)) === String(Object.keys(sharedShapes[shape]));
const isText = (value: unknown) => typeof value === "string";
const isNumber = (value: unknown) => typeof value === "number";
const isStage = (value: unknown) => ["teach", "distil", "baseline"].includes(value as string);

const checks: Readonly<Record<FieldType, (value: unknown) => boolean>> = {
  text: isText,
  whole: Number.isInteger,
  number: isNumber,
  figure: (value) => value === null || isNumber(value),
  maybeNumber: (value) => value === null || isNumber(value),
  flag: (value) => typeof value === "boolean",
  texts: (value) => isList(value, isText),
  wholes: (value) => isList(value, Number.isInteger),
  stage: isStage,
  stages: (value) => isList(value, isStage),
  deal: (value) => isList(value, (each) => hasFields(each, "Lanes")),
  score: (value) => hasFields(value, "Score"),
  phases: (value) => hasFields(value, "Phases"),
  findings: (value) => isList(value, (each) => hasFields(each, "Finding")),
  parts: (value) => value === undefined || Object.values(value as object).every(Number.isInteger),
  evidence: (value) => Object.values(value as object).every((each) => isText(each) || isNumber(each)),
  report: (value) => typeof value === "object" && value !== null,
};

/** As who reads the JSON finds it. */
function problemsOf(event: ProgressEvent): string[] {
  const { kind, atMs, ...fields } = JSON.parse(JSON.stringify(event));
  const definition = definitions[kind];
  if (!definition) return [`${kind} is not defined`];
  const names = new Set([...Object.keys(definition.fields), ...Object.keys(fields)]);
  return [
    ...(isNumber(atMs) ? [] : [`${kind}: atMs is ${atMs}`]),
    ...[...names].flatMap((name) => {
      const [type] = definition.fields[name] ?? [];
      if (!type) return [`${kind}.${name} is not defined`];
      return checks[type](fields[name]) ? [] : [`${kind}.${name} is no ${type}: ${JSON.stringify(fields[name])}`];
    }),
  ];
}

test("the events of a coordinator are as they are defined", bounded, async (t) => {
  const coordinator = await started(t);
  await cast(t, coordinator);
  const events: ProgressEvent[] = [];
  for await (const event of coordinator.events) events.push(event);
  assert.deepEqual(events.flatMap(problemsOf), []);
  assert.ok(new Set(events.map(({ kind }) => kind)).size > 10);
});

test("those of a real job, too", { timeout: 300_000 }, async (t) => {
  const { folder } = await finishedRun(
    t,
    "examples/smoke.yaml",
    "--set",
    "dataset.limit=512",
    "--set",
    "teach.epochs=1",
  );
  const lines = readFileSync(join(folder, "events.jsonl"), "utf8").trim().split("\n");
  const events = lines.map((each) => JSON.parse(each) as ProgressEvent);
  assert.deepEqual([...new Set(events.flatMap(problemsOf))], []);
  const kinds = new Set(events.map(({ kind }) => kind));
  for (const kind of ["worker-status", "diagnosed", "stepped", "exported", "job-finished"] as const) {
    assert.ok(kinds.has(kind), kind);
  }
});

test("the checks find what is wrong", () => {
  const right: ProgressEvent = { kind: "term-begun", term: 1, stage: "teach", step: 0, atMs: 1 };
  assert.deepEqual(problemsOf(right), []);
  for (const wrong of [{ step: "0" }, { stage: "sleep" }, { more: 1 }, { atMs: "now" }, { kind: "other" }]) {
    assert.equal(problemsOf({ ...right, ...wrong } as unknown as ProgressEvent).length, 1, JSON.stringify(wrong));
  }
});
