/** A job's status in lines for people. */
import type { JobStatus, WorkerStatus } from "../../coordinator/status.ts";
import { eventText } from "../../core/lines.ts";
import { plain } from "../../core/plaintext.ts";
import { counted, duration, fixed, percent, whole } from "../../core/words.ts";
import { timeOfDay } from "./text.ts";

/** Without the step before the stage has taken one. */
export function standing({ job, state, outcome, stage, step, steps, term }: JobStatus): string {
  const how = outcome === null || outcome === "stopped" ? "" : ` (${outcome})`;
  const where = stage === null ? [] : [stage, `step ${whole.format(step)} of ${whole.format(steps)}`];
  const done = steps > 0 ? [percent(step / steps)] : [];
  return [`${job}: ${state}${how}`, ...where, ...done, `term ${term}`].join(", ");
}

/** The last reported step, where it is of this stage: null, rate, how long it takes, losses. */
export function pace({ lastStep, stage }: JobStatus): { rate: string; losses: string } | null {
  if (!lastStep || lastStep.stage !== stage) return null;
  const { samplesPerSecond, etaSeconds, epoch, epochs, loss, hardLoss, softLoss, accuracy, agreement } = lastStep;
  const soft = softLoss === null ? "" : ` (hard ${fixed(hardLoss, 4)}, soft ${fixed(softLoss, 4)})`;
  const agrees = agreement === null ? "" : `, agrees with its teacher on ${percent(agreement)}`;
  return {
    rate: `${whole.format(samplesPerSecond)} samples/s, epoch ${epoch.toFixed(1)} of ${epochs.toFixed(0)}, ${duration(etaSeconds)} left of the stage`,
    losses: `${fixed(loss, 4)}${soft}, accuracy ${percent(accuracy)}${agrees}`,
  };
}

export function evaluationText({ lastEvaluation }: JobStatus): string | null {
  if (!lastEvaluation) return null;
  const { stage, step, score } = lastEvaluation;
  return `${stage} at step ${whole.format(step)}: ${whole.format(score.errors)} errors of ${whole.format(score.examples)} (${percent(score.accuracy)}), cross-entropy ${fixed(score.crossEntropy, 4)}`;
}

/** `2 students: 1 working, 1 joining; 1 teacher: 1 working` */
export function crewText(workers: readonly WorkerStatus[]): string {
  const texts = (["student", "teacher"] as const).flatMap((role) => {
    const own = workers.filter((worker) => worker.role === role);
    if (own.length === 0) return [];
    const states = new Map<string, number>();
    for (const { state } of own) states.set(state, (states.get(state) ?? 0) + 1);
    return [`${counted(own.length, role)}: ${[...states].map(([state, count]) => `${count} ${state}`).join(", ")}`];
  });
  return texts.join("; ") || "none";
}

const named = 4;

export function waitText({ waitingFor, why, deadlineMs, outcome }: JobStatus): string {
  if (outcome !== null) return why;
  const some = waitingFor.slice(0, named).join(", ");
  const more = waitingFor.length > named ? ` and ${waitingFor.length - named} more` : "";
  const until = deadlineMs === null ? "" : `; given up without progress in ${duration(Math.round(deadlineMs / 1_000))}`;
  return `${some}${more}${some ? ": " : ""}${why}${until}`;
}

export function faultText({ lastFault }: JobStatus): string {
  return lastFault ? `${timeOfDay(lastFault.atMs)}  ${eventText(lastFault)}` : "none";
}

/** @param status of a coordinator that serves on all addresses has the host by which it was reached */
function pagesText({ http }: JobStatus): string {
  return `http://${http.address}  ${http.paths.join("  ")}`;
}

export function statusLines(status: JobStatus): string[] {
  const going = pace(status);
  const evaluation = evaluationText(status);
  const facts: (readonly [string, string | null | undefined])[] = [
    ["rate", going?.rate],
    ["loss", going?.losses],
    ["evaluation", evaluation],
    ["workers", crewText(status.workers)],
    ["roles", status.split && `${status.split.students} : ${status.split.teachers}, ${status.split.why}`],
    [status.outcome === null ? "waits for" : "ended", waitText(status)],
    ["last fault", faultText(status)],
    ["pages", pagesText(status)],
  ];
  const told = facts.flatMap(([name, text]) => (text ? [`  ${name.padEnd(12)}${plain(text)}`] : []));
  return [plain(standing(status)), ...told];
}
