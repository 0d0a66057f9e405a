/** Events as lines of events.jsonl, read back from a disk that may be damaged, or that another hand has written to. */
import { z } from "zod";
import {
  type EventDefinition,
  type EventFields,
  eventDefinitions,
  type FieldType,
  sharedShapes,
} from "./eventdefinitions.ts";
import type { ProgressEvent } from "./events.ts";
import { parseJson } from "./nesting.ts";
import { count, figure, parts, stage, text } from "./shapes.ts";

/** What is looked at: others may be there, too. */
export const fieldSchemas: Readonly<Record<FieldType, z.ZodType>> = {
  text,
  whole: count,
  number: z.number(),
  figure,
  maybeNumber: figure,
  flag: z.boolean(),
  texts: z.array(text),
  wholes: z.array(count),
  stage,
  stages: z.array(stage),
  deal: z.array(shared("Lanes")),
  score: shared("Score"),
  phases: shared("Phases"),
  findings: z.array(shared("Finding")),
  parts,
  evidence: z.unknown().optional(),
  report: z.looseObject({ summary: text.optional() }),
};

function shared(name: keyof typeof sharedShapes): z.ZodType {
  return z.lazy(() => z.looseObject(shapeOf(sharedShapes[name])));
}

function shapeOf(fields: EventFields): z.ZodRawShape {
  return Object.fromEntries(Object.entries(fields).map(([name, [type]]) => [name, fieldSchemas[type]]));
}

function schemaOf({ fields }: EventDefinition): z.ZodType {
  return z.looseObject({ kind: text, atMs: z.number(), ...shapeOf(fields) });
}

const schemas = new Map(
  Object.entries<EventDefinition>(eventDefinitions).map(([kind, definition]) => [kind, schemaOf(definition)]),
);

/** null for a line that is damaged, or of a kind that is not known here. */
export function eventOf(line: string): ProgressEvent | null {
  try {
    const value = parseJson(line);
    const { kind } = value as { kind?: unknown };
    return typeof kind === "string" && schemas.get(kind)?.safeParse(value).success ? (value as ProgressEvent) : null;
  } catch {
    return null;
  }
}

/** Of a file's text, those that are whole. */
export function eventsIn(text: string): ProgressEvent[] {
  return text.split("\n").flatMap((line) => eventOf(line) ?? []);
}
