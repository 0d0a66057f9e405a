/**
 * The doctor's rounds, in the student that leads: numbers are collected here, by the paths that training takes, and
 * judged by the pure checks of core/doctor.
 */

import { teacherAccuracy } from "../../core/doctor/accuracy.ts";
import { type Answer, pairing, replicas } from "../../core/doctor/agreement.ts";
import { type Finding, notRun } from "../../core/doctor/finding.ts";
import { type BuiltModel, modelsFit } from "../../core/doctor/models.ts";
import { otherScalings } from "../../core/doctor/scalings.ts";
import { softTargets } from "../../core/doctor/softtargets.ts";
import { selfDivergence, softTerm } from "../../core/doctor/softterm.ts";
import { asLimbeckError } from "../../core/errors.ts";
import { claimsProbabilities, sourceOfTeacher } from "../../core/jobteacher.ts";
import { sizeOf } from "../../core/layout.ts";
import { type LedgerPlan, laneExamples } from "../../core/ledger.ts";
import { purpose, randomStream } from "../../core/random.ts";
import { modelRequest, viewOfEpoch, type WorkerContext } from "../context.ts";
import { columnsOf } from "../data/normalization.ts";
import { argmaxRows } from "../learn/evaluation.ts";
import type { Objective } from "../learn/loss.ts";
import { remixed } from "./canaries.ts";
import { type LocalTeacher, openLocalTeacher } from "./localteacher.ts";
import { manyLabels, type Sample, takeSample } from "./sample.ts";
import type { TeacherLine } from "./teacherlines.ts";

const inCache = "the soft targets of the first lane are in the cache";

/** Above it no other scaling of the inputs can be so much better that it would count. */
const surelyRight = 0.9;

/** What needs no trained teacher: whether the models fit the dataset, and whether the loss is zero where it must be. */
export async function examineModels(
  context: WorkerContext,
  { objective, roles }: { readonly objective: Objective; readonly roles: readonly ("teacher" | "student")[] },
): Promise<Finding[]> {
  const { dataset, device } = context;
  const built: BuiltModel[] = [];
  let divergence: Finding | null = null;
  for (const role of roles) {
    try {
      await device.ask("build", { name: "variant", ...modelRequest(context, role) });
      built.push({ role, problem: null });
    } catch (thrown) {
      const { code, message } = asLimbeckError(thrown);
      if (code !== "bad_model") throw thrown;
      built.push({ role, problem: message });
      continue;
    }
    if (role === "student") {
      const figures = await device.ask("softTerm", { name: "variant", objective, work: drawnLane(context) });
      divergence = selfDivergence(figures);
    }
    await device.ask("drop", { name: "variant" });
  }
  const models = modelsFit(built, manyLabels(dataset), dataset.classes);
  return [models, divergence ?? notRun("self-divergence", "the student cannot be built")];
}

/** A lane of real inputs with soft targets that are drawn: the loss must vanish at them, whatever they are. */
function drawnLane({ job, dataset }: WorkerContext) {
  const examples = Math.min(job.lanes.batch, dataset.count("train"));
  const ids = Uint32Array.from({ length: examples }, (_, id) => id);
  const inputs = new Float32Array(examples * sizeOf(dataset.shape));
  dataset.examples("train", ids, null, inputs);
  const labels = new Int32Array(examples);
  dataset.labels("train", ids, labels);
  const draw = randomStream(purpose.sample, job.seed);
  const teacherLogits = Float32Array.from({ length: examples * dataset.classes }, () => 10 * draw() - 5);
  return { lane: 0, examples, inputs, labels, teacherLogits };
}

export interface Subject {
  readonly context: WorkerContext;
  readonly ledger: LedgerPlan;
  readonly objective: Objective;
  /** All teachers of the term. */
  readonly teachers: readonly TeacherLine[];
  /** Logits [examples, classes] under the view of an epoch that training will take from the cache; null where it will ask. */
  cached(examples: Uint32Array, epoch: number): Promise<Float32Array | null>;
}

/**
 * What the teacher gives, and what it is worth to the student, whose replica is the network "trained".
 * @throws what a request for soft targets throws, and the signal's reason
 */
export async function examineTeaching(subject: Subject, signal: AbortSignal): Promise<Finding[]> {
  const { context, ledger, objective, teachers } = subject;
  const { job, dataset, device, status } = context;
  const { classes } = dataset;
  const first = teachers[0]!;
  status.doing = "examining the teacher";
  const local = await openLocalTeacher(context, signal);
  try {
    const view = viewOfEpoch(job, "distil", 0);
    let cachedExamples = 0;
    const sample = await takeSample(dataset, { ledger, view }, async (examples) => {
      const cached = await subject.cached(examples, 0);
      if (cached) cachedExamples += examples.length;
      return cached ?? (await first.ask(examples, 0, signal));
    });
    const told = (finding: Finding): Finding => ({ ...finding, evidence: { ...finding.evidence, cachedExamples } });
    const { labels, logits } = sample;
    status.doing = "examining the soft targets";
    const work = { ...sample, lane: 0, examples: Math.min(labels.length, ledger.laneBatch), teacherLogits: logits };
    const figures = await device.ask("softTerm", { name: "trained", objective, work });
    const lane = { teacherLogits: logits.subarray(0, work.examples * classes), classes };
    return [
      told(await examineAccuracy(context, sample, local)),
      told(softTargets({ logits, labels, classes }, claimsProbabilities(job.teacher) ? "probabilities" : "logits")),
      softTerm(figures, objective, lane),
      selfDivergence(figures),
      await examinePairing(subject, local, signal),
      await examineReplicas(subject, signal),
    ];
  } finally {
    await local?.close();
  }
}

async function examineAccuracy(
  { job, dataset }: WorkerContext,
  { inputs, labels, logits }: Sample,
  local: LocalTeacher | null,
): Promise<Finding> {
  const { classes, shape } = dataset;
  const predictions = argmaxRows(logits, labels.length, classes);
  const plain = teacherAccuracy({ predictions, labels, classes }, []);
  // One that was trained here was trained on these very inputs.
  const isStranger = local && sourceOfTeacher(job.teacher) !== null && Number(plain.evidence["accuracy"]) < surelyRight;
  if (!isStranger) return plain;
  const scalings = [];
  for (const { name, inputs: scaled } of otherScalings(inputs, columnsOf({ shape }))) {
    scalings.push({ name, predictions: argmaxRows(await local.logits(scaled), labels.length, classes) });
  }
  return teacherAccuracy({ predictions, labels, classes }, scalings);
}

/** The first lane, asked for as it is, in another order and company, and computed here. */
async function examinePairing(
  { context, ledger, teachers, cached }: Subject,
  local: LocalTeacher | null,
  signal: AbortSignal,
): Promise<Finding> {
  const { job, dataset } = context;
  const examples = laneExamples(ledger, 0, 0);
  const company = laneExamples(ledger, 0, Math.min(1, ledger.lanes - 1));
  const kept = await cached(examples, 0);
  if (kept && !local) return notRun("pairing", `${inCache}, and this worker does not have the teacher`);
  const teacher = teachers[0]!;
  const served = kept
    ? { from: "the cache", examples, logits: kept }
    : { from: teacher.worker, examples, logits: await teacher.ask(examples, 0, signal) };
  const others: Answer[] = [];
  if (!kept) {
    const again = remixed(examples, company, job.seed);
    const logits = await teacher.ask(again, 0, signal);
    others.push({ from: `${teacher.worker} asked again`, examples: again, logits });
  }
  if (!local) return pairing(served, others, dataset.classes);
  const inputs = new Float32Array(examples.length * sizeOf(dataset.shape));
  dataset.examples("train", examples, viewOfEpoch(job, "distil", 0), inputs);
  const computed = { from: `${context.name} itself`, examples, logits: await local.logits(inputs) };
  return pairing(served, [computed, ...others], dataset.classes);
}

async function examineReplicas({ context, ledger, teachers, cached }: Subject, signal: AbortSignal): Promise<Finding> {
  if (teachers.length < 2) return notRun("replicas", "there is one teacher, and none to compare it with");
  const examples = laneExamples(ledger, 0, 0);
  if (await cached(examples, 0)) return notRun("replicas", `${inCache}, and no teacher is asked`);
  const answers = await Promise.all(
    teachers.map(async ({ worker, ask }) => ({ from: worker, examples, logits: await ask(examples, 0, signal) })),
  );
  return replicas(answers, context.dataset.classes);
}
