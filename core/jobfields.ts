/** What the job schema wants at a path, in words. */
import { closest, distance } from "fastest-levenshtein";
import { z } from "zod";
import { excerpt } from "./words.ts";

export type Path = readonly (string | number)[];

/** A place in the schema. Where it is a union, `schema` is the branch that the input means, or the union itself. */
export interface Place {
  readonly schema: z.ZodType;
  /** All branches, empty where it is no union. */
  readonly options: readonly z.ZodType[];
}

/** @param path leads to something the schema knows */
export function placeAt(root: z.ZodType, path: Path, input: unknown): Place {
  const place = placeOf(root, input);
  const [key, ...rest] = path;
  if (key === undefined) return place;
  const { schema } = place;
  const next = schema instanceof z.ZodArray ? schema.element : (schema as z.ZodObject).shape[key];
  return placeAt(next as z.ZodType, rest, (input as Record<string, unknown> | undefined)?.[key]);
}

function placeOf(wrapped: z.ZodType, input: unknown): Place {
  let schema = wrapped;
  while (schema instanceof z.ZodOptional || schema instanceof z.ZodDefault || schema instanceof z.ZodPrefault) {
    schema = schema.unwrap() as z.ZodType;
  }
  if (!(schema instanceof z.ZodUnion)) return { schema, options: [] };
  const options = schema.options as readonly z.ZodType[];
  return { schema: branchMeant(options, input) ?? schema, options };
}

/** The only mapping, or the one that has the input's `kind`, else the one that knows most of its keys, those it needs counted twice. */
function branchMeant(options: readonly z.ZodType[], input: unknown): z.ZodObject | null {
  if (typeof input !== "object" || input === null) return null;
  const mappings = options.filter((option) => option instanceof z.ZodObject);
  if (mappings.length === 1) return mappings[0]!;
  let [meant, most] = [null as z.ZodObject | null, 0];
  for (const option of mappings) {
    const kind = kindOf(option);
    const known = [...Object.keys(option.shape), ...neededKeys(option)].filter((key) => key in input).length;
    if (kind !== null && (input as { kind?: unknown }).kind !== kind) continue;
    if (known > most) [meant, most] = [option, known];
  }
  return meant;
}

function kindOf(option: z.ZodObject): string | null {
  const kind = option.shape["kind"];
  return kind instanceof z.ZodLiteral ? String([...kind.values][0]) : null;
}

/** The literals that the branches of a union want for `key`. */
export function literalsOf(options: readonly z.ZodType[], key: string): string[] {
  return options.flatMap((option) => {
    const field = option instanceof z.ZodObject ? option.shape[key] : null;
    return field instanceof z.ZodLiteral ? [...field.values].map(String) : [];
  });
}

/** What would be right, to follow "must be" or "give". */
export function expectation({ schema, options }: Place): string {
  if (options.length === 0) return words(schema);
  const others = options.flatMap((option) => {
    if (option instanceof z.ZodEnum) return option.options.map(String);
    return option instanceof z.ZodObject ? [] : [words(option)];
  });
  return orList([...others, `a mapping with ${marks(options)}`]);
}

/** What tells the branches of a union from each other. */
export function marks(options: readonly z.ZodType[]): string {
  return orList(options.flatMap((option) => (option instanceof z.ZodObject ? [mark(option)] : [])));
}

function words(schema: z.ZodType): string {
  if (schema instanceof z.ZodEnum) return orList(schema.options.map(String));
  if (schema instanceof z.ZodLiteral) return orList([...schema.values].map(String));
  if (schema instanceof z.ZodNumber) return schema.format === "safeint" ? "a whole number" : "a number";
  if (schema instanceof z.ZodBoolean) return "true or false";
  if (schema instanceof z.ZodString) return "a text";
  if (schema instanceof z.ZodArray) return `a list, each entry ${words(schema.element as z.ZodType)}`;
  return "a mapping";
}

function mark(option: z.ZodObject): string {
  const kind = kindOf(option);
  if (kind !== null) return `kind: ${kind}`;
  const needed = neededKeys(option);
  return (needed.length > 0 ? needed : Object.keys(option.shape)).join(" and ");
}

function neededKeys({ shape }: z.ZodObject): string[] {
  return Object.keys(shape).filter((key) => !z.safeParse(shape[key]!, undefined).success);
}

export function orList(words: readonly string[]): string {
  return words.length < 2 ? words.join() : `${words.slice(0, -1).join(", ")} or ${words.at(-1)}`;
}

/** What is wrong with a key that the place does not know, and the key that was meant, where one is near. */
export function unknownKey({ schema, options }: Place, key: string): { message: string; meant: string | null } {
  const object = schema as z.ZodObject;
  if (options.some((option) => option instanceof z.ZodObject && Object.hasOwn(option.shape, key))) {
    return { message: `does not go with ${mark(object)}`, meant: null };
  }
  const known = Object.keys(object.shape);
  const meant = nearest(key, known);
  const rest = meant === null ? `known here: ${known.join(", ")}` : `did you mean ${meant}?`;
  return { message: `unknown key; ${rest}`, meant };
}

/** The known word that a misspelt one may stand for. */
export function nearest(word: string, known: readonly string[]): string | null {
  const lower = (text: string) => text.toLowerCase();
  const near = closest(lower(word), known.map(lower));
  const tolerance = Math.max(2, Math.floor(word.length / 3));
  if (known.length === 0 || distance(lower(word), near) > tolerance) return null;
  return known.find((text) => lower(text) === near) ?? null;
}

/** A value of the job file, short. */
export function show(value: unknown): string {
  if (value === null || value === undefined) return "nothing";
  if (Array.isArray(value)) return "a list";
  if (typeof value === "object") return "a mapping";
  return typeof value === "string" ? JSON.stringify(excerpt(value)) : String(value);
}
