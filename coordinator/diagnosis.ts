/** What the doctor found in the lead student: kept for the report, across lives of the coordinator. */
import type { Finding } from "../core/doctor/finding.ts";
import { announce } from "./ending.ts";
import type { MessageOf } from "./messages.ts";
import type { Next, Running, Worker } from "./state.ts";

/** The worker that found a reason to refuse the job says next that it failed, and why. */
export function diagnosed(state: Running, atMs: number, worker: Worker, found: MessageOf<"diagnosed">): Next {
  const { stage, findings } = found;
  const doctor = withFindings(state.course.doctor, { findings });
  return [
    { ...state, course: { ...state.course, doctor }, sinceMs: atMs },
    { kind: "journal", record: { kind: "diagnosed", findings } },
    announce(atMs, { kind: "diagnosed", worker: worker.name, stage, findings }),
  ];
}

/** The newest finding of each check; a term that did not come to its first step has it done again. */
export function withFindings(
  before: readonly Finding[],
  { findings }: { readonly findings: readonly Finding[] },
): readonly Finding[] {
  const kept = before.filter(({ check }) => !findings.some((each) => each.check === check));
  return [...kept, ...findings];
}
