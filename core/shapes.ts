/** What records, events and manifests are made of, as it is in JSON. */
import { z } from "zod";
import { stages } from "./stages.ts";

export const text = z.string();
export const count = z.int().min(0);
/** What is not finite is null where it has been JSON. */
export const figure = z.number().nullable();
export const stage = z.enum(stages);
/** By teacher, which member of an ensemble it serves. */
export const parts = z.record(text, count).optional();
