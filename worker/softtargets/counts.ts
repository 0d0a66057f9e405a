/** What a student counts of what it asks teachers for. */
import { addPayloadErrors, noPayloadError, type PayloadError } from "./payloaderror.ts";

export interface SoftTargetCounts {
  readonly softTargets: number;
  /** Of logits received. */
  readonly softTargetBytes: number;
  /** Of inputs sent. */
  readonly softTargetInputBytes: number;
  readonly hedged: number;
  readonly askedAgain: number;
  readonly payloadError: PayloadError;
}

export const noCounts: SoftTargetCounts = {
  ...{ softTargets: 0, softTargetBytes: 0, softTargetInputBytes: 0, hedged: 0, askedAgain: 0 },
  payloadError: noPayloadError,
};

export function addCounts(counts: SoftTargetCounts, more: Partial<SoftTargetCounts>): SoftTargetCounts {
  return {
    softTargets: counts.softTargets + (more.softTargets ?? 0),
    softTargetBytes: counts.softTargetBytes + (more.softTargetBytes ?? 0),
    softTargetInputBytes: counts.softTargetInputBytes + (more.softTargetInputBytes ?? 0),
    hedged: counts.hedged + (more.hedged ?? 0),
    askedAgain: counts.askedAgain + (more.askedAgain ?? 0),
    payloadError: addPayloadErrors(counts.payloadError, more.payloadError ?? noPayloadError),
  };
}
