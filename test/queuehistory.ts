/** What must be true of all that a service's leaders ever decided of its jobs, in the order of its journal. */
import type { PhaseKind, ServiceRecord } from "../coordinator/service/vocabulary.ts";
import { isOver } from "../core/jobstate.ts";

/** From where a job may come into a phase; by a resumption before it has stopped, a pausing one changes what is next. */
const before: Readonly<Record<PhaseKind, readonly PhaseKind[]>> = {
  queued: ["pausing", "paused"],
  running: ["queued"],
  pausing: ["running", "pausing"],
  paused: ["queued", "pausing"],
  cancelling: ["running", "pausing"],
  done: ["running", "pausing", "cancelling"],
  failed: ["running", "pausing", "cancelling"],
  cancelled: ["queued", "paused", "running", "cancelling"],
};

/** In words, each that is wrong: a job is submitted once, begins only where it waits, and is over once. */
export function wrongInQueue(records: readonly ServiceRecord[]): string[] {
  const wrong: string[] = [];
  const phases = new Map<string, PhaseKind>();
  let submissions = 0;
  for (const record of records) {
    switch (record.kind) {
      case "counted":
        submissions = Math.max(submissions, record.submissions);
        break;
      case "kept":
        phases.set(record.job.id, record.job.phase.kind);
        break;
      case "submitted":
        if (phases.has(record.id)) wrong.push(`${record.id} is submitted twice`);
        if (record.number !== submissions + 1) wrong.push(`submission ${record.number} follows ${submissions}`);
        submissions = record.number;
        phases.set(record.id, "queued");
        break;
      case "changed": {
        const { job, phase } = record;
        const was = phases.get(job);
        if (was === undefined) wrong.push(`${job} is ${phase.kind}, and nobody has submitted it`);
        else if (!before[phase.kind].includes(was)) wrong.push(`${job} is ${phase.kind} after it was ${was}`);
        phases.set(job, phase.kind);
        break;
      }
      case "forgotten": {
        const was = phases.get(record.job);
        if (was === undefined || !isOver(was)) wrong.push(`${record.job} is forgotten and was ${was ?? "not there"}`);
        phases.delete(record.job);
      }
    }
  }
  return wrong;
}
