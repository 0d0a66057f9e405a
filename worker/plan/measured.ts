/** A few real steps of a stage, by the code that trains: what a step and its phases cost one student with all lanes. */
import type { TrainingCost } from "../../core/plan/calibration.ts";
import type { StagePlan } from "../../core/stages.ts";
import type { Progress } from "../../proto/gen/limbeck/v1/Progress.ts";
import { KeptCache } from "../cache/kept.ts";
import type { WorkerContext } from "../context.ts";
import { factsOf } from "../data/dataset.ts";
import { Ending } from "../ending.ts";
import type { Membership } from "../membership.ts";
import { Reports } from "../reports.ts";
import { Student } from "../student.ts";
import { StudentTerm } from "../studentterm.ts";

export interface StepsFor {
  /** Without its soft targets. */
  readonly plan: StagePlan;
  readonly term: number;
  /** Steps are taken for so long after the first few; at least one report's worth. */
  readonly forMs: number;
}

/** Reports that do not count: kernels are chosen and memory is touched for the first time. */
const warmupReports = 2;
/** Of a model so large that it makes no step in the time. */
const fewestReports = 3;

export async function measureSteps(context: WorkerContext, { plan, term, forMs }: StepsFor): Promise<TrainingCost> {
  const { name, services, job } = context;
  const { address, host } = services;
  const member = { worker: name, address, host, firstLane: 0, lanes: job.lanes.count, part: 0 };
  // Without an end within reach.
  const endless: StagePlan = { ...plan, steps: 2 ** 31, soft: null };
  const membership: Membership = {
    ...{
      term,
      planned: true,
      why: "its steps are measured",
      member: true,
      plan: endless,
      students: [member],
      teachers: [],
      rank: 0,
      isTeacher: false,
    },
    ...{ part: 0, teacherSha256: "", teacherSources: [], restore: false, restoreBelow: 0 },
    dataset: factsOf(context.dataset),
  };
  const ending = new Ending();
  const student = await Student.build(context, endless, ending.soon);
  await student.layOut(membership);
  const heard: Progress[] = [];
  let startedMs = 0;
  const reports = new Reports(term, ({ progress }) => {
    if (!progress) return;
    heard.push(progress);
    if (heard.length === warmupReports) startedMs = performance.now();
    const isEnough = heard.length >= fewestReports && performance.now() - startedMs >= forMs;
    if (isEnough) ending.end({ planned: true, why: "enough was measured" });
  });
  const cache = new KeptCache();
  const parts = { context, membership, student, reports, cache, isHeard: () => true, saved: () => {} };
  const unasked = { teacherEngine: "", uncacheable: "a plan is measured" };
  const beginning = { term, step: 0, sources: [name], sumSources: [], evaluate: false, ...unasked };
  await new StudentTerm(parts).run(beginning, ending).catch((thrown) => {
    if (!ending.soon.aborted) throw thrown;
  });
  return costOf(heard.slice(warmupReports), student, job.lanes.count);
}

/** Seconds of a step of one student that has all lanes. */
export function stepOf({ laneSeconds, stepSeconds }: TrainingCost, lanes: number): number {
  return lanes * laneSeconds + stepSeconds;
}

function costOf(reports: readonly Progress[], { replica }: Student, lanes: number): TrainingCost {
  const sum = (value: (report: Progress) => number | undefined) =>
    reports.reduce((total, each) => total + (value(each) ?? 0), 0);
  const steps = sum(({ steps }) => Number(steps));
  const seconds = sum((report) => Number(report.seconds)) / steps;
  const compute = sum(({ phases }) => Number(phases?.compute)) / steps;
  const { gradient } = replica.layout;
  const state = replica.weights.length + replica.optimizerState.length;
  return { laneSeconds: compute / lanes, stepSeconds: Math.max(0, seconds - compute), gradient, state };
}
