/** One line of text per progress event. */
import type { Finding } from "./doctor/finding.ts";
import type { ProgressEvent } from "./events.ts";
import { bytesText, counted, duration, fixed, percent, whole } from "./words.ts";

type Of<K extends ProgressEvent["kind"]> = Extract<ProgressEvent, { kind: K }>;

/** What a progress bar shows of a step. */
export function stepPayload(event: Of<"stepped">) {
  return {
    stage: event.stage,
    epoch: `${event.epoch.toFixed(1)}/${event.epochs.toFixed(0)}`,
    rate: whole.format(event.samplesPerSecond),
    loss: fixed(event.loss, 4),
    accuracy: percent(event.accuracy),
    eta_text: `${duration(event.etaSeconds)} left`,
  };
}

function stepLine(event: Of<"stepped">): string {
  const { stage, epoch, rate, loss, accuracy, eta_text } = stepPayload(event);
  const soft = event.softLoss === null ? "" : ` (hard ${fixed(event.hardLoss, 4)}, soft ${fixed(event.softLoss, 4)})`;
  const agree = event.agreement === null ? "" : `  agrees ${percent(event.agreement)}`;
  return `${stage}  step ${event.step}/${event.steps}  epoch ${epoch}  ${rate} samples/s  loss ${loss}${soft}  accuracy ${accuracy}${agree}  ${eta_text}`;
}

/** A line per warning and refusal; what was not checked, by reason, and what is well are told in a line each. */
export function diagnosis(findings: readonly Finding[]): string {
  const of = (severity: Finding["severity"]) => findings.filter((finding) => finding.severity === severity);
  const lines = [
    ...of("refusal").map(({ check, message }) => `${check}: REFUSED, ${message}`),
    ...of("warning").map(({ check, message }) => `${check}: warning, ${message}`),
    ...[...new Set(of("not-run").map(({ message }) => message))].map((why) => {
      const checks = of("not-run").filter(({ message }) => message === why);
      return `${checks.map(({ check }) => check).join(", ")}: not checked, ${why}`;
    }),
    ...(of("ok").length > 0
      ? [
          `${of("ok")
            .map(({ check }) => check)
            .join(", ")}: nothing wrong`,
        ]
      : []),
  ];
  return lines.map((line) => `doctor: ${line}`).join("\n");
}

/** Every decision has a line, also those that `run` does not tell. */
export function eventText(event: ProgressEvent): string {
  switch (event.kind) {
    case "term-begun":
      return `term ${event.term} begins: ${event.stage} at step ${event.step}`;
    case "job-failed":
      return `failed: ${event.message}`;
    default:
      return describe(event) ?? event.kind;
  }
}

/** The line for people; null for what only machines read. */
export function describe(event: ProgressEvent): string | null {
  switch (event.kind) {
    case "job-started":
      return `job ${event.name}: ${event.stages.join(", ")}; ${event.lanes} lanes of ${event.laneBatch}, ${counted(event.students, "student")}, ${counted(event.teachers, "teacher")}, numerics ${event.numerics}, seed ${event.seed}`;
    case "worker-joined":
      return `${event.worker} joined (${event.role}, process ${event.pid}, ${event.address})`;
    case "worker-prepared":
      return `${event.worker} computes with ${event.backend} on ${event.device}: ${event.why}`;
    case "role-changed":
      return `${event.worker} becomes a ${event.role}: ${event.why}`;
    case "worker-lost":
      return `${event.worker} is lost: ${event.why}`;
    case "worker-left":
      return `${event.worker} left: ${event.why}`;
    case "worker-refused":
      return `${event.worker} is refused: ${event.why}`;
    case "worker-warned":
      return `${event.worker}: ${event.why}`;
    case "job-paused":
      return `paused, ${event.why}`;
    case "coordinator-recovered":
      return event.why;
    case "restored":
      return `${event.stage}  ${event.worker} goes on from step ${event.step}, read from ${event.folder}`;
    case "checkpoint-passed-over":
      return `${event.worker} passed a checkpoint over: ${event.why}`;
    case "step-skipped":
      return `${event.stage}  step ${event.step} is skipped by all: lane ${event.lane} of ${event.worker}, ${event.why} (${event.examples} examples in quarantine.jsonl)`;
    case "payload-damaged":
      return `${event.worker} fetched ${event.what} from ${event.from} again: ${event.why}`;
    case "replica-diverged":
      return `${event.worker} is thrown out: ${event.why}`;
    case "term-begun":
    case "worker-status":
      return null;
    case "dataset-opened":
      return `dataset: ${whole.format(event.trainExamples)} training and ${whole.format(event.evaluationExamples)} evaluation examples of [${event.shape.join(", ")}], ${event.classes} classes`;
    case "term-opened":
      return `term ${event.term}: ${event.why}; ${event.deal
        .map(({ worker, firstLane, lanes }) => `${worker} lanes ${firstLane}-${firstLane + lanes - 1}`)
        .concat(Object.entries(event.parts ?? {}).map(([worker, part]) => `${worker} teacher.ensemble.${part}`))
        .join(", ")}`;
    case "teachers-changed":
      return `term ${event.term} goes on: ${event.why}; taught by ${event.teachers.join(", ") || "nobody"}`;
    case "stage-started":
      return `${event.stage}: ${whole.format(event.steps)} steps, ${whole.format(event.stepsPerEpoch)} per epoch, ${whole.format(event.parameters)} parameters`;
    case "soft-target-cache":
      return `${event.stage}: soft targets are ${event.cache}: ${event.why}`;
    case "stepped":
      return stepLine(event);
    case "evaluated":
      return `${event.stage}  epoch ${event.epoch.toFixed(1)}  evaluation: ${event.score.errors} errors of ${whole.format(event.score.examples)} (${percent(event.score.accuracy)}), cross-entropy ${fixed(event.score.crossEntropy, 4)}`;
    case "checkpointed":
      return `${event.stage}  checkpoint at step ${event.step}: ${event.folder} (${bytesText(event.bytes)})`;
    case "stage-finished":
      return `${event.stage} done in ${duration(event.wallSeconds)}: ${event.score.errors} errors of ${whole.format(event.score.examples)} (${percent(event.score.accuracy)}), ${whole.format(event.samplesPerSecond)} samples/s, weights ${event.weightsSha256.slice(0, 12)}`;
    case "exported":
      return `${event.folder}/ (${event.format}, ${bytesText(event.bytes)}): ${event.score.errors} errors`;
    case "diagnosed":
      return diagnosis(event.findings);
    case "job-finished":
      return "done";
    case "job-stopped":
      return `stopped: ${event.why}`;
    case "job-failed":
      return null; // The error itself is printed at the end.
  }
}
