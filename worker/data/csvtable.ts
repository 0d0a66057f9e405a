/** A CSV file as a table of numbers and a column of labels. */
import { Readable } from "node:stream";
import { setImmediate } from "node:timers/promises";
import { CsvError, type Info, parse } from "csv-parse";
import { LimbeckError } from "../../core/errors.ts";
import { excerpt } from "../../core/words.ts";
import type { DataFile } from "./files.ts";

export interface Header {
  readonly features: readonly string[];
  readonly label: string;
}

export interface Table {
  /** Path of the file. */
  readonly name: string;
  readonly header: Header;
  /** [rows × features], the features in the header's order. */
  readonly values: Float64Array;
  /** As written, none empty. */
  readonly labels: readonly string[];
  /** Line that each row ends on, from 1. */
  readonly lines: readonly number[];
}

/**
 * @param label name of the label column
 * @param like the training table: this one must have its columns, in any order
 * @throws LimbeckError bad_data, with the file and line
 */
export async function readTable(file: DataFile, label: string, like?: Table): Promise<Table> {
  const { name } = file;
  let header: Header | null = null;
  let columns: readonly Column[] = [];
  let labelAt = -1;
  const numbers = new Numbers();
  const labels: string[] = [];
  const lines: number[] = [];
  for await (const { record, line } of records(file)) {
    if (header === null) {
      header = like ? sameColumns(name, record, like) : headerOf(name, record, label);
      const places = new Map(record.map((column, at) => [column, at]));
      columns = header.features.map((feature) => ({ feature, at: places.get(feature)! }));
      labelAt = places.get(label)!;
      continue;
    }
    for (const column of columns) numbers.add(numberAt(name, line, record[column.at]!, column));
    if (record[labelAt] === "") refuse(name, `column ${label} (the label) is empty`, line);
    labels.push(record[labelAt]!);
    lines.push(line);
  }
  if (header === null || labels.length === 0)
    refuse(name, "no examples: a header row and at least one more are needed");
  return { name, header, values: numbers.values, labels, lines };
}

/** Grows as they come: an array for each row takes many times the room of a narrow row. */
class Numbers {
  #values = new Float64Array(1024);
  #count = 0;

  add(value: number): void {
    if (this.#count === this.#values.length) {
      const larger = new Float64Array(2 * this.#count);
      larger.set(this.#values);
      this.#values = larger;
    }
    this.#values[this.#count++] = value;
  }

  get values(): Float64Array {
    return this.#values.subarray(0, this.#count);
  }
}

interface Column {
  readonly feature: string;
  readonly at: number;
}

/** Of one row. */
const mostRowBytes = 64 << 20;

/** Rows of cells with the line each ends on, parsed in chunks so that the process stays responsive. */
async function* records({ name, bytes }: DataFile): AsyncGenerator<{ record: string[]; line: number }> {
  const chunk = 1 << 16;
  const pieces = (async function* () {
    for (let at = 0; at < bytes.length; at += chunk) {
      yield bytes.subarray(at, at + chunk);
      await setImmediate(); // Streams run on microtasks alone: without this, timers and sockets would wait for the end.
    }
  })();
  const parser = parse({ bom: true, trim: true, skip_empty_lines: true, info: true, max_record_size: mostRowBytes });
  try {
    for await (const { record, info } of Readable.from(pieces).pipe(parser)) {
      yield { record: record as string[], line: (info as Info).lines };
    }
  } catch (cause) {
    if (cause instanceof CsvError)
      throw new LimbeckError("bad_data", `${name}: ${excerpt(cause.message, 300)}`, { cause });
    throw cause;
  }
}

function headerOf(name: string, names: readonly string[], label: string): Header {
  const twice = firstTwice(names);
  if (twice !== undefined) refuse(name, `two columns are named ${excerpt(twice)}`, 1);
  if (!names.includes(label)) {
    const are = excerpt(names.slice(0, 100).join(", "), 300);
    refuse(name, `no column is named ${label}, as dataset.label says; the columns are ${are}`, 1);
  }
  if (names.length === 1) refuse(name, `no columns but the label ${label}`, 1);
  return { label, features: names.filter((each) => each !== label) };
}

function sameColumns(name: string, names: readonly string[], like: Table): Header {
  const { header, name: trainName } = like;
  const [expected, found] = [new Set([...header.features, header.label]), new Set(names)];
  const missing = [...expected].find((each) => !found.has(each));
  if (missing !== undefined) refuse(name, `column ${excerpt(missing)} of ${trainName} is missing`, 1);
  const unknown = names.find((each) => !expected.has(each)) ?? firstTwice(names);
  if (unknown !== undefined) refuse(name, `column ${excerpt(unknown)} is not in ${trainName}, or twice here`, 1);
  return header;
}

/** In one pass: a file may have very many columns. */
function firstTwice(names: readonly string[]): string | undefined {
  const seen = new Set<string>();
  return names.find((name) => seen.size === seen.add(name).size);
}

function numberAt(name: string, line: number, cell: string, { feature }: Column): number {
  const value = Number(cell);
  if (cell !== "" && Number.isFinite(value)) return value;
  const found = cell === "" ? "empty" : JSON.stringify(excerpt(cell));
  return refuse(name, `column ${excerpt(feature)} is ${found}, not a number`, line);
}

export function refuse(name: string, what: string, line?: number): never {
  throw new LimbeckError("bad_data", `${name}${line === undefined ? "" : `:${line}`}: ${what}`);
}
