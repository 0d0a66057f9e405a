/** Turns what zod finds wrong with a job into clear sentences, each with the path of the field it is about. */
import type { z } from "zod";
import { expectation, literalsOf, marks, nearest, orList, type Path, placeAt, show, unknownKey } from "./jobfields.ts";

export interface JobProblem {
  readonly path: Path;
  /** What is wrong and what would be right, without the path. */
  readonly message: string;
  /** Other fields that are as much to blame. */
  readonly also: readonly Path[];
  /** Of an unknown key, the known one that was meant. */
  readonly meant?: Path;
}

type Issue = z.core.$ZodIssue;

/**
 * @param input what the schema refused
 * @param issues why
 */
export function jobProblems(schema: z.ZodType, input: unknown, issues: readonly Issue[]): JobProblem[] {
  const problems = issues.flatMap((issue) => problemsOf(schema, input, issue));
  // A misspelt key is one mistake, though the right one is missing then.
  const misspelt = new Set(problems.flatMap(({ meant }) => (meant ? [meant.join(".")] : [])));
  return problems.filter(({ path }) => !misspelt.has(path.join(".")) || valueAt(input, path) !== undefined);
}

function problemsOf(root: z.ZodType, input: unknown, issue: Issue): JobProblem[] {
  const path = issue.path as Path;
  const found = valueAt(input, path);
  const one = (message: string): JobProblem[] => [{ path, message, also: [] }];
  switch (issue.code) {
    case "custom":
      return [{ path, message: issue.message, also: (issue.params?.["also"] ?? []) as Path[] }];
    case "unrecognized_keys": {
      const place = placeAt(root, path, input);
      return issue.keys.map((key) => {
        const { message, meant } = unknownKey(place, key);
        return { path: [...path, key], message, also: [], ...(meant !== null && { meant: [...path, meant] }) };
      });
    }
    case "too_small":
      return one(outOfBounds(found, issue.inclusive ? "at least" : "more than", issue.minimum));
    case "too_big":
      return one(outOfBounds(found, issue.inclusive ? "at most" : "less than", issue.maximum));
    case "invalid_format":
      return one(`${issue.message}, found ${show(found)}`);
    case "invalid_union":
      return unionProblems(root, input, issue);
    case "invalid_value":
      return one(notOneOf(issue.values.map(String), found));
    default:
      return one(wrong(expectation(placeAt(root, path, input)), found));
  }
}

/** Of all branches only the one that was meant is worth a word. */
function unionProblems(root: z.ZodType, input: unknown, issue: z.core.$ZodIssueInvalidUnion): JobProblem[] {
  // A discriminated union blames its discriminator and has no branches to show.
  const path = (issue.errors.length === 0 ? issue.path.slice(0, -1) : issue.path) as Path;
  const found = valueAt(input, path);
  const place = placeAt(root, path, input);
  const kind = valueAt(found, ["kind"]);
  const kinds = literalsOf(place.options, "kind");
  // A mapping may have a toString of its own, which is none.
  if (kind !== undefined && kinds.length > 0 && (typeof kind === "object" || !kinds.includes(String(kind)))) {
    return [{ path: [...path, "kind"], message: notOneOf(kinds, kind), also: [] }];
  }
  const branch = issue.errors[place.options.indexOf(place.schema)];
  if (branch) return branch.flatMap((inner) => problemsOf(root, input, { ...inner, path: [...path, ...inner.path] }));
  if (typeof found !== "object" || found === null)
    return [{ path, message: wrong(expectation(place), found), also: [] }];
  const keys = Object.keys(found).join(", ") || "nothing";
  return [{ path, message: `must have ${marks(place.options)}, found ${keys}`, also: [] }];
}

function valueAt(input: unknown, path: Path): unknown {
  return path.reduce<unknown>((value, key) => (value as Record<string, unknown> | null | undefined)?.[key], input);
}

function wrong(right: string, found: unknown): string {
  return found === undefined ? `needed, and missing: give ${right}` : `must be ${right}, found ${show(found)}`;
}

function notOneOf(values: readonly string[], found: unknown): string {
  const near = typeof found === "string" ? nearest(found, values) : null;
  return `${wrong(orList(values), found)}${near === null ? "" : `; did you mean ${near}?`}`;
}

function outOfBounds(found: unknown, side: string, bound: number | bigint): string {
  if (Array.isArray(found))
    return `must have ${side} ${bound} ${bound === 1 ? "entry" : "entries"}, found ${found.length}`;
  const words = side === "more than" ? "greater than" : side;
  return `must be ${words} ${bound}, found ${show(found)}`;
}
