/** The distil stage for real, in one process that is student and teacher, with teachers that may be broken on purpose. */
import type { TestContext } from "node:test";
import type { Finding } from "../../core/doctor/finding.ts";
import type { LimbeckError } from "../../core/errors.ts";
import { sizeOf } from "../../core/layout.ts";
import { planStages } from "../../core/stages.ts";
import type { FromWorker } from "../../proto/gen/limbeck/v1/FromWorker.ts";
import { viewOfEpoch, type WorkerContext } from "../../worker/context.ts";
import { factsOf } from "../../worker/data/dataset.ts";
import { Participation } from "../../worker/participation.ts";
import { floatsSent } from "../../worker/softtargets/inputs.ts";
import type { Serving } from "../../worker/softtargets/server.ts";
import { Teacher } from "../../worker/teacher.ts";
import { openTeacher } from "../worker/softtargets/teachers.ts";

type AnswerOf = Serving["answer"];

export interface Broken {
  /** What the worker's own teacher gives instead. */
  spoil?(answer: AnswerOf): AnswerOf;
  /** A second teacher. @param leave has it taken off the list of those that are asked */
  readonly second?: (...asked: [...Parameters<AnswerOf>, leave: () => void]) => ReturnType<AnswerOf>;
}

export interface Distilled {
  readonly findings: readonly Finding[];
  /** What the worker failed of; null where it came to the end of the stage. */
  readonly failure: LimbeckError | null;
  /** Steps it came to. */
  readonly steps: number;
}

const readyMs = 60_000;

/** Runs the stage to its end, or to what the worker fails of. */
export async function distil(
  t: TestContext,
  context: WorkerContext,
  { spoil, second }: Broken = {},
): Promise<Distilled> {
  const { job, services, dataset, name } = context;
  const { softTargets } = services;
  const serve = softTargets.serve.bind(softTargets);
  softTargets.serve = (serving) => serve({ ...serving, answer: spoil ? spoil(serving.answer) : serving.answer });
  const other = second && (await openTeacher(t, "teacher-2"));
  const heard: FromWorker[] = [];
  let settle = (_: LimbeckError | null) => {};
  const over = new Promise<LimbeckError | null>((resolve) => {
    settle = resolve;
  });
  let ready = () => {};
  const isReady = new Promise<void>((resolve) => {
    ready = resolve;
  });
  const participation = new Participation(context, {
    send(message) {
      heard.push(message);
      if (message.ready) ready();
      if (message.stageDone) settle(null);
    },
    isHeard: () => true,
    fail: (error) => settle(error),
    changed: () => {},
  });
  const { steps } = planStages(job, dataset.count("train")).find(({ stage }) => stage === "distil")!;
  const { address, host } = services;
  const member = { worker: name, address, host, firstLane: 0, lanes: job.lanes.count, part: 0 };
  const teachers = [{ ...member, lanes: 0 }, ...(other ? [{ ...member, lanes: 0, ...other.member }] : [])];
  const wanted = { term: 0, part: 0, teacherSha256: "", teacherSources: [], dataset: factsOf(dataset) };
  const { sha256 } = await Teacher.prepare(context, wanted, AbortSignal.timeout(readyMs));
  const order = { stage: "distil", steps, teacherSha256: sha256, teacherSources: [], restore: false, restoreBelow: 0 };
  const assign = { ...order, students: [member], teachers, planned: true, why: "a test", dataset: null };
  participation.hear({ term: 1, body: "assign", assign });
  await Promise.race([isReady, over]);
  const sizes = {
    classes: dataset.classes,
    temperature: job.distil.temperature,
    inputFloats: floatsSent(job, dataset.shape),
    mergesUpTo: 0,
    trainExamples: dataset.count("train"),
    mostExamples: job.lanes.batch,
  };
  const staff = { teachers: teachers.slice(0, 1), why: "a test" };
  const leave = () => participation.hear({ term: 1, body: "teachers", teachers: staff });
  const answer: AnswerOf = (examples, view, inputs) => second!(examples, view, inputs, leave);
  other?.server.serve({ term: 1, teacher: sha256, dataset: dataset.digest, ...sizes, answer });
  const begin = { step: 0, sources: [name], sumSources: [], evaluate: false, teacherEngine: "", uncacheable: "" };
  participation.hear({ term: 1, body: "begin", begin });
  const failure = await over;
  await participation.end("the test is over");
  const findings = heard.flatMap(({ diagnosed }) => (diagnosed ? (JSON.parse(diagnosed.findings!) as Finding[]) : []));
  const reached = heard.reduce((most, { progress }) => Math.max(most, Number(progress?.step ?? 0)), 0);
  return { findings, failure, steps: reached };
}

/** Answers of a real teacher whose weights are changed while it computes. */
export function perturbedAnswers(context: WorkerContext, change: (weight: number, at: number) => number): AnswerOf {
  const { device, dataset, job, trained } = context;
  return async (examples, epoch) => {
    const inputs = new Float32Array(examples.length * sizeOf(dataset.shape));
    dataset.examples("train", examples, viewOfEpoch(job, "distil", epoch), inputs);
    const { weights } = trained.get("teach")!;
    // Asked for in one turn, they are done in this order, with nothing between.
    const [, logits] = await Promise.all([
      device.ask("load", { name: "teacher", weights: weights.map(change) }),
      device.ask("logits", { name: "teacher", inputs, count: examples.length }),
      device.ask("load", { name: "teacher", weights }),
    ]);
    return logits;
  };
}

/** Every row is that of the example before. */
export function rolled(logits: Float32Array, rows: number): Float32Array {
  const classes = logits.length / rows;
  return logits.map((_, at) => logits[(at + logits.length - classes) % logits.length]!);
}
