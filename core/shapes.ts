/** Parts of what is read back as JSON: records, events, manifests. Objects may have more than is looked at. */
import { z } from "zod";

export const text = z.string();
export const count = z.int().min(0);
/** What is not finite is null where it has been JSON. */
export const figure = z.number().nullable();
export const stage = z.enum(["teach", "distil", "baseline"]);
export const deal = z.array(z.looseObject({ worker: text, firstLane: count, lanes: count }));
export const score = z.looseObject({ examples: count, errors: count, accuracy: figure, crossEntropy: figure });
export const findings = z.array(z.looseObject({ check: text, severity: text, message: text }));
/** By teacher, which member of an ensemble it serves. */
export const parts = z.record(text, count).optional();
