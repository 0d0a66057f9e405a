/** Before a stage's first step the student that leads has the doctor look at it. */
import { type Finding, refusalOf } from "../../core/doctor/finding.ts";
import type { LedgerPlan } from "../../core/ledger.ts";
import type { StagePlan } from "../../core/stages.ts";
import type { WorkerContext } from "../context.ts";
import type { Report } from "../reports.ts";
import { examineModels, examineTeaching, type Subject } from "./examination.ts";
import type { TeacherLines } from "./teacherlines.ts";

export interface Consultation {
  readonly context: WorkerContext;
  readonly plan: StagePlan;
  readonly ledger: LedgerPlan;
  /** null where the stage asks no teacher. */
  readonly softTargets: { readonly lines: TeacherLines; readonly cached: Subject["cached"] } | null;
  tell(report: Report): void;
}

/**
 * Tells the coordinator what was found. Of a stage without a teacher only the first is looked at: what is wrong with the
 * student is better known before its teacher is trained.
 * @throws what the findings refuse, what a request for soft targets throws, and the signal's reason
 */
export async function consult(
  { context, plan, ledger, softTargets, tell }: Consultation,
  signal: AbortSignal,
): Promise<void> {
  const { job } = context;
  const { temperature, softWeight } = job.distil;
  const objective = { temperature, softWeight };
  if (!softTargets && plan.stage !== "teach") return;
  context.status.doing = "examining the models";
  const findings = softTargets
    ? await examineThose({ context, ledger, objective }, softTargets, signal)
    : await examineModels(context, { objective, roles: ["student"] });
  tell({ diagnosed: { stage: plan.stage, findings: JSON.stringify(findings) } });
  const refusal = refusalOf(findings);
  if (refusal) throw refusal;
}

/** Of the teachers that there are: where some come or go meanwhile, all is looked at anew. */
async function examineThose(
  subject: Pick<Subject, "context" | "ledger" | "objective">,
  { lines, cached }: NonNullable<Consultation["softTargets"]>,
  signal: AbortSignal,
): Promise<Finding[]> {
  for (;;) {
    const { changed } = lines;
    try {
      return await examineTeaching({ ...subject, teachers: lines.all, cached }, AbortSignal.any([signal, changed]));
    } catch (thrown) {
      if (!changed.aborted || signal.aborted) throw thrown;
    }
  }
}
