/** What the service's journal keeps, as it is read back. */
import { z } from "zod";
import { count, text } from "../../core/shapes.ts";
import { recordProblem } from "../recordproblem.ts";
import { label } from "./naming.ts";
import type { ServiceRecord } from "./vocabulary.ts";

const plain = z.union([text, z.number(), z.boolean(), z.null()]);
const phase = z.discriminatedUnion("kind", [
  z.looseObject({ kind: z.enum(["queued", "running", "paused", "cancelling"]) }),
  z.looseObject({ kind: z.literal("pausing"), next: z.enum(["paused", "queued"]) }),
  z.looseObject({
    kind: z.enum(["done", "failed", "cancelled"]),
    endedMs: z.number(),
    summary: z.record(text, plain).nullable(),
  }),
]);
/** What the queue asks of it; the rest is held to by who runs it: one of an older version must not keep all others from being led. */
const job = z.looseObject({
  name: text,
  workers: z.looseObject({
    students: z.union([count, z.looseObject({ min: count, max: count })]),
    teachers: count,
    roles: z.enum(["fixed", "auto"]),
  }),
  lanes: z.looseObject({ count }),
});
/** A path is made of it: no other leads out of its folder. */
const named = text.regex(label);
const submission = {
  ...{ name: named, digest: text, priority: z.int(), job, by: text, request: text },
  sources: z.array(z.looseObject({ path: text, text })),
};

export const serviceProblem = recordProblem<ServiceRecord>({
  counted: { submissions: count, turns: count },
  submitted: { ...submission, id: named, number: count, atMs: z.number() },
  changed: { job: text, phase, why: text, atMs: z.number(), turn: count.optional() },
  kept: {
    job: z.looseObject({
      ...{ ...submission, id: named, number: count, turn: count, phase, why: text },
      ...{ submittedMs: z.number(), startedMs: z.number().nullable(), sinceMs: z.number() },
    }),
  },
  forgotten: { job: text },
});
