/** What a student's time goes to in a step. */
export const phases = ["data", "softTargets", "compute", "exchange", "apply"] as const;
export type Phase = (typeof phases)[number];
