/** The text of a job file and the `--set` overrides on top of it: its values, and where each of them was said. */
import {
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  parse,
  parseDocument,
  type YAMLParseError,
} from "yaml";
import { LimbeckError } from "./errors.ts";
import { type Path, show } from "./jobfields.ts";
import { isNestedTooDeep } from "./nesting.ts";
import { excerpt } from "./words.ts";

export interface JobSource {
  readonly input: unknown;
  /** Where the fault lies: the first of the fields that was overridden, else the first that the file has. */
  locate(fields: readonly Path[]): {
    /** `FILE:LINE`, `FILE` or `--set KEY=VALUE`. */
    readonly origin: string;
    /** For sorting; overrides come last. */
    readonly line: number;
    /** The field in dots; empty where the origin says it already. */
    readonly field: string;
  };
}

type Fields = Record<string, unknown>;

interface Override {
  readonly text: string;
  readonly path: Path;
}

/** Far more than a job needs: reading YAML takes time that grows with the square of its keys. */
const mostCharacters = 1 << 17;
/** Of a file with very many, the first. */
const mostProblems = 20;
const longestProblem = 400;

/** @throws bad_job for what is not YAML, not a mapping, or an override that fits nowhere */
export function readSource(text: string, file: string, overrideTexts: readonly string[]): JobSource {
  if (text.length > mostCharacters)
    throw badJob([`${file}: has ${text.length} characters, a job file may have ${mostCharacters}`]);
  const lines = new LineCounter();
  const document = documentOf(text, file, lines);
  const syntax = document.errors.map(
    (error) => `${file}:${lines.linePos(error.pos[0]).line}: ${syntaxProblem(error, text)}`,
  );
  if (syntax.length > 0) throw badJob(syntax);
  const input = plain(document, file);
  if (input === null) throw badJob([`${file}: the job file is empty`]);
  if (typeof input !== "object" || Array.isArray(input)) {
    throw badJob([`${file}:1: a job must be a mapping of fields, found ${show(input)}`]);
  }
  const overrides: Override[] = [];
  const misfits = overrideTexts.flatMap((override) => {
    const problem = applyOverride(input as Fields, override, overrides);
    return problem === null ? [] : [`--set ${override}: ${problem}`];
  });
  if (misfits.length > 0) throw badJob(misfits);

  const lineOf = (path: Path) => {
    const [offset, depth] = offsetOf(document, path);
    return { line: offset === null ? 0 : lines.linePos(offset).line, complete: depth === path.length };
  };
  return {
    input,
    locate(fields) {
      for (const path of fields) {
        const set = overrides.findLast(
          (each) => startsWith(path, each.path) || (startsWith(each.path, path) && !lineOf(path).complete),
        );
        if (!set) continue;
        const field = set.path.length === path.length ? "" : path.join(".");
        return { origin: `--set ${set.text}`, line: Number.POSITIVE_INFINITY, field };
      }
      const path = fields.find((each) => lineOf(each).complete) ?? fields[0]!;
      const { line } = lineOf(path);
      return { origin: line > 0 ? `${file}:${line}` : file, line, field: path.join(".") };
    },
  };
}

/** One line per problem. */
export function badJob(problems: readonly string[]): LimbeckError {
  const told = problems.slice(0, mostProblems).map((problem) => excerpt(problem, longestProblem));
  const more = problems.length - told.length;
  return new LimbeckError("bad_job", [...told, ...(more > 0 ? [`and ${more} more of the kind`] : [])].join("\n"));
}

function documentOf(text: string, file: string, lineCounter: LineCounter): Document {
  if (isNestedTooDeep(text)) throw badJob([`${file}: not valid YAML: ${tooDeep}`]);
  return parseDocument(text, { lineCounter, prettyErrors: false, logLevel: "error" });
}

const tooDeep = "it is nested too deeply, or has too many anchors";

function syntaxProblem({ code, message, pos }: YAMLParseError, text: string): string {
  if (code === "DUPLICATE_KEY") return `${/^[^:\s]+/.exec(text.slice(pos[0]))?.[0]}: given twice; remove one of them`;
  if (code === "MULTIPLE_DOCS") return "a file holds one job; remove what follows `---`";
  return `not valid YAML: ${message}`;
}

function plain(document: Document, file: string): unknown {
  try {
    return document.toJS();
  } catch (cause) {
    // An alias without its anchor, or aliases that multiply beyond reason.
    throw new LimbeckError("bad_job", `${file}: not valid YAML: ${(cause as Error).message}`, { cause });
  }
}

/** Sets the value in `input` and notes it in `applied`; gives what is wrong with the override, if anything. */
function applyOverride(input: Fields, text: string, applied: Override[]): string | null {
  const [, keys, value] = /^([^=\s]+)=(.*)$/s.exec(text) ?? [];
  if (keys === undefined || value === undefined) return "must be KEY=VALUE, such as distil.temperature=4";
  const path = keys.split(".");
  const foreign = path.find((key) => key in Object.prototype);
  if (foreign !== undefined) return `no field is named ${foreign}`;
  if (isNestedTooDeep(value)) return `the value is not valid YAML: ${tooDeep}`;
  let parsed: unknown;
  try {
    parsed = parse(value, { prettyErrors: false, logLevel: "error" });
  } catch (cause) {
    return `the value is not valid YAML: ${(cause as Error).message}`;
  }
  let inner = input;
  for (const [depth, key] of path.entries()) {
    const last = depth === path.length - 1;
    if (Array.isArray(inner) && !/^\d+$/.test(key))
      return `${path.slice(0, depth).join(".")} is a list: name an entry by number, from 0`;
    if (Array.isArray(inner) && Number(key) > inner.length)
      return `${path.slice(0, depth).join(".")} has only ${inner.length} entries`;
    if (last) {
      if (parsed === null) delete inner[key];
      else inner[key] = parsed;
      break;
    }
    inner[key] ??= {};
    const next = inner[key];
    if (typeof next !== "object") return `${path.slice(0, depth + 1).join(".")} is ${show(next)}, which has no fields`;
    inner = next as Fields;
  }
  applied.push({ text, path });
  return null;
}

function startsWith(path: Path, start: Path): boolean {
  return start.every((key, at) => String(path[at]) === String(key));
}

/** Where the deepest part of the path that the file has begins in the text, and how deep that is. */
function offsetOf(document: Document, path: Path): [offset: number | null, depth: number] {
  let node: unknown = document.contents;
  let offset: number | null = null;
  for (const [depth, key] of path.entries()) {
    if (isAlias(node)) node = node.resolve(document);
    if (isMap(node)) {
      const pair = node.items.find((item) => isScalar(item.key) && String(item.key.value) === String(key));
      if (!pair || !isScalar(pair.key)) return [offset, depth];
      offset = pair.key.range?.[0] ?? offset;
      node = pair.value;
    } else if (isSeq(node) && node.items[Number(key)] !== undefined) {
      node = node.items[Number(key)];
      offset = (node as { range?: [number, number, number] | null }).range?.[0] ?? offset;
    } else return [offset, depth];
  }
  return [offset, path.length];
}
