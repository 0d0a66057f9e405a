/** What the doctor finds: one finding per check, with the evidence it rests on. */
import { LimbeckError, type LimbeckErrorCode } from "../errors.ts";

export type CheckName =
  | "models"
  | "teacher-accuracy"
  | "soft-targets"
  | "soft-term"
  | "self-divergence"
  | "pairing"
  | "replicas";

/** `refusal`: what would be trained is not what was asked for. `not-run`: the message says why. */
export const severities = ["ok", "warning", "refusal", "not-run"] as const;

export interface Finding {
  readonly check: CheckName;
  readonly severity: (typeof severities)[number];
  /** One sentence: what was found, and for a warning or refusal what would be right. */
  readonly message: string;
  /** The numbers behind it, by name. */
  readonly evidence: Readonly<Record<string, number | string>>;
}

/** What a job fails with where a check refuses it: whose fault it is. */
const codes: Readonly<Record<CheckName, LimbeckErrorCode>> = {
  models: "bad_model",
  "teacher-accuracy": "bad_model",
  "soft-targets": "bad_model",
  "soft-term": "bad_model",
  "self-divergence": "internal",
  pairing: "wrong_key",
  replicas: "diverged",
};

/** The error of a job with these findings; null where none refuses it. */
export function refusalOf(findings: readonly Finding[]): LimbeckError | null {
  const refusals = findings.filter(({ severity }) => severity === "refusal");
  const [first] = refusals;
  if (!first) return null;
  const told = refusals.map(({ check, message }) => `${check}: ${message}`).join("; ");
  return new LimbeckError(codes[first.check], `the doctor refuses this job: ${told}`);
}

export function notRun(check: CheckName, why: string): Finding {
  return { check, severity: "not-run", message: why, evidence: {} };
}

export function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}
