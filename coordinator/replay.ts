/** From the journal to the state of a coordinator that was started again, and back: what a record keeps. */

import { LimbeckError } from "../core/errors.ts";
import { evaluationOf } from "../core/evaluation/evaluation.ts";
import type { ProgressEvent } from "../core/events.ts";
import { type FinishedStage, nothingExported } from "../core/finishedstage.ts";
import { planStages, type Stage, type StagePlan } from "../core/stages.ts";
import { withFindings } from "./diagnosis.ts";
import { announce, concluded } from "./ending.ts";
import { open } from "./gather.ts";
import type { JournalRecord } from "./journalrecord.ts";
import { journalProblem } from "./journalschema.ts";
import { newSplit } from "./split.ts";
import type { Course, Gathering, Next, Plan, Recovering } from "./state.ts";
import { emptyTally } from "./tally.ts";

type Of<K extends JournalRecord["kind"]> = Extract<JournalRecord, { kind: K }>;

export function finishedRecord({ plan, evaluation, exported: _, ...rest }: FinishedStage): Of<"finished"> {
  const { predictions, labels, confidences, score } = evaluation;
  const bytes = Buffer.alloc(4 * confidences.length);
  confidences.forEach((value, at) => void bytes.writeFloatLE(value, 4 * at));
  return {
    kind: "finished",
    stage: plan.stage,
    predictions: packed(predictions),
    labels: packed(labels),
    confidences: bytes.toString("base64"),
    crossEntropy: score.crossEntropy,
    ...rest,
  };
}

function finishedStage(record: Of<"finished">, stages: readonly StagePlan[]): FinishedStage {
  const { kind: _, stage, predictions, labels, confidences, crossEntropy, ...rest } = record;
  const plan = stages.find((each) => each.stage === stage);
  const bytes = Buffer.from(confidences, "base64");
  const floats = Float32Array.from({ length: Math.floor(bytes.length / 4) }, (_, at) => bytes.readFloatLE(4 * at));
  const answers = { predictions: unpacked(predictions), labels: unpacked(labels), confidences: floats };
  const { length } = answers.labels;
  if (!plan || answers.predictions.length !== length || floats.length !== length)
    throw new Error(`of the stage ${stage} there are answers to other examples than labels`);
  return { plan, evaluation: evaluationOf(answers, crossEntropy), exported: nothingExported, ...rest };
}

function packed(classes: Uint16Array): string {
  const bytes = Buffer.alloc(2 * classes.length);
  classes.forEach((value, at) => void bytes.writeUInt16LE(value, 2 * at));
  return bytes.toString("base64");
}

function unpacked(base64: string): Uint16Array {
  const bytes = Buffer.from(base64, "base64");
  return Uint16Array.from({ length: Math.floor(bytes.length / 2) }, (_, at) => bytes.readUInt16LE(2 * at));
}

/** Of the term, with the teachers it has now; name to instance. */
function membersOf({ deal, instances }: Of<"term">, staff: Of<"term" | "teachers">): Map<string, string> {
  const names = [...deal.map(({ worker }) => worker), ...staff.teachers];
  const all = { ...instances, ...staff.instances };
  return new Map(names.map((name) => [name, all[name]!]));
}

function resultOf(result: FinishedStage | undefined, exported = nothingExported): FinishedStage | null {
  return result ? { ...result, exported } : null;
}

/** Of a stage, the newest step whose checkpoint was announced and has not been gone back behind; -1 where none is. */
function lastCheckpoint(events: readonly ProgressEvent[], stage: Stage): number {
  return events.reduce((last, event) => {
    if (event.kind === "checkpointed" && event.stage === stage) return event.step;
    if (event.kind === "term-begun" && event.stage === stage) return Math.min(last, event.step - 1);
    return last;
  }, -1);
}

/**
 * The state after these records, or of a new job where there are none that say more than that it was started. One that
 * is done is over at once.
 * @param events what has been announced of it
 * @throws LimbeckError `corrupt` where the records are of another kind than a coordinator writes
 */
export function replay(
  plan: Plan,
  records: readonly JournalRecord[],
  atMs: number,
  events: readonly ProgressEvent[] = [],
): Next {
  try {
    const problem = journalProblem(records);
    if (problem !== null) throw new Error(problem);
    return replayed(plan, records, atMs, events);
  } catch (cause) {
    if (cause instanceof LimbeckError) throw cause;
    const message = `the journal of ${plan.job.name} holds what no coordinator wrote: ${(cause as Error).message}`;
    throw new LimbeckError("corrupt", message, { cause });
  }
}

function replayed(plan: Plan, records: readonly JournalRecord[], atMs: number, events: readonly ProgressEvent[]): Next {
  const find = <K extends JournalRecord["kind"]>(kind: K) =>
    records.filter((each): each is Of<K> => each.kind === kind);
  // Those of older versions lack it: the job ends once more.
  const report = find("ended").at(-1)?.report;
  if (report) return concluded(report, atMs, events);
  const settled = find("settled")[0];
  if (!settled) return open(plan, atMs);
  const { dataset, fingerprints } = settled;
  const startedMs = find("started")[0]?.atMs ?? atMs;
  const stages = planStages(plan.job, dataset.trainExamples);
  // A stage that was done again is there twice: the bits are the same (L1).
  const results = new Map(find("finished").map((record) => [record.stage, finishedStage(record, stages)]));
  const exports = new Map(find("exported").map(({ kind: _, stage, atMs: __, ...exported }) => [stage, exported]));
  const isOver = (stage: StagePlan) =>
    results.has(stage.stage) && (exports.has(stage.stage) || stage.stage === "baseline");
  const over = stages.findIndex((stage) => !isOver(stage));
  const at = over < 0 ? stages.length - 1 : over;
  const finished = stages
    .slice(0, at)
    .map(({ stage }) => ({ ...results.get(stage)!, exported: exports.get(stage) ?? nothingExported }));
  const terms = find("term");
  const last = terms.at(-1);
  const recovered = find("recovered").at(-1)?.term ?? 0;
  const term = Math.max(last?.term ?? 0, recovered);
  const current = stages[at]!;
  const inStage = terms.filter(({ stage }) => stage === current.stage);
  const begun = find("begun").findLast((record) => record.term === term);
  const isPaused = find("paused").some((record) => record.term === term);
  const course: Course = {
    dataset,
    fingerprints,
    stages,
    finished,
    plan: current,
    openedMs: inStage[0]?.atMs ?? atMs,
    hasBegun: find("begun").some((record) => inStage.some((opened) => opened.term === record.term)),
    uncacheable: find("begun").at(-1)?.uncacheable ?? "",
    doctor: find("diagnosed").reduce(withFindings, []),
    tally: { ...emptyTally, checkpointed: lastCheckpoint(events, current.stage) },
  };
  const living = {
    workers: [],
    term,
    startedMs,
    sinceMs: atMs,
    tickedMs: atMs,
    bench: new Map(),
    laneSeconds: new Map(),
    servingSeconds: new Map(),
    split: newSplit("", ""),
  };
  const isRecovered = term > 0 && term === recovered;
  const from = isRecovered ? ", from what the depot has" : "";
  const why = `the coordinator was started again in term ${term}${from}`;
  const told = announce(atMs, { kind: "coordinator-recovered", term, why });
  if (last?.stage !== current.stage || isRecovered) {
    const gathering: Gathering = { kind: "gathering", ...living, course, why, rollbackBelow: null };
    return [gathering, told];
  }
  const staff = find("teachers").findLast((record) => record.term === term) ?? last;
  const recovering: Recovering = {
    kind: "recovering",
    ...living,
    course,
    deal: last.deal,
    teachers: staff.teachers,
    parts: staff.parts ?? {},
    expected: membersOf(last, staff),
    begun: begun && !isPaused ? begun : null,
    openedMs: last.atMs,
    // A term that has begun has gone back.
    rollbackBelow: begun ? null : last.rollbackBelow,
    parameters: begun?.parameters ?? 0,
    result: resultOf(results.get(current.stage), exports.get(current.stage)),
    isSomeoneBack: false,
    recoveredMs: atMs,
  };
  return [recovering, told];
}
