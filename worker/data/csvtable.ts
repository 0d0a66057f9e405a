/** A CSV file as a table of numbers and a column of labels. */
import { Readable } from "node:stream";
import { setImmediate } from "node:timers/promises";
import { CsvError, type Info, parse } from "csv-parse";
import { LimbeckError } from "../../core/errors.ts";
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
  const rows: Float64Array[] = [];
  const labels: string[] = [];
  const lines: number[] = [];
  for await (const { record, line } of records(file)) {
    if (header === null) {
      header = like ? sameColumns(name, record, like) : headerOf(name, record, label);
      columns = header.features.map((feature) => ({ feature, at: record.indexOf(feature) }));
      labelAt = record.indexOf(label);
      continue;
    }
    rows.push(numbers(name, line, record, columns));
    if (record[labelAt] === "") refuse(name, `column ${label} (the label) is empty`, line);
    labels.push(record[labelAt]!);
    lines.push(line);
  }
  if (header === null || rows.length === 0) refuse(name, "no examples: a header row and at least one more are needed");
  const values = new Float64Array(rows.length * header.features.length);
  for (const [row, of] of rows.entries()) values.set(of, row * header.features.length);
  return { name, header, values, labels, lines };
}

interface Column {
  readonly feature: string;
  readonly at: number;
}

/** Rows of cells with the line each ends on, parsed in chunks so that the process stays responsive. */
async function* records({ name, bytes }: DataFile): AsyncGenerator<{ record: string[]; line: number }> {
  const chunk = 1 << 16;
  const pieces = (async function* () {
    for (let at = 0; at < bytes.length; at += chunk) {
      yield bytes.subarray(at, at + chunk);
      await setImmediate(); // Streams run on microtasks alone: without this, timers and sockets would wait for the end.
    }
  })();
  const parser = parse({ bom: true, trim: true, skip_empty_lines: true, info: true });
  try {
    for await (const { record, info } of Readable.from(pieces).pipe(parser)) {
      yield { record: record as string[], line: (info as Info).lines };
    }
  } catch (cause) {
    if (cause instanceof CsvError) throw new LimbeckError("bad_data", `${name}: ${cause.message}`, { cause });
    throw cause;
  }
}

function headerOf(name: string, names: readonly string[], label: string): Header {
  const twice = names.find((each, at) => names.indexOf(each) !== at);
  if (twice !== undefined) refuse(name, `two columns are named ${twice}`, 1);
  if (!names.includes(label)) {
    refuse(name, `no column is named ${label}, as dataset.label says; the columns are ${names.join(", ")}`, 1);
  }
  if (names.length === 1) refuse(name, `no columns but the label ${label}`, 1);
  return { label, features: names.filter((each) => each !== label) };
}

function sameColumns(name: string, names: readonly string[], like: Table): Header {
  const { header, name: trainName } = like;
  const expected = [...header.features, header.label];
  const missing = expected.find((each) => !names.includes(each));
  if (missing !== undefined) refuse(name, `column ${missing} of ${trainName} is missing`, 1);
  const unknown = names.find((each, at) => !expected.includes(each) || names.indexOf(each) !== at);
  if (unknown !== undefined) refuse(name, `column ${unknown} is not in ${trainName}, or twice here`, 1);
  return header;
}

function numbers(name: string, line: number, record: readonly string[], columns: readonly Column[]): Float64Array {
  const values = new Float64Array(columns.length);
  for (const [at, column] of columns.entries()) {
    const cell = record[column.at]!;
    const value = Number(cell);
    if (cell === "" || !Number.isFinite(value)) {
      refuse(name, `column ${column.feature} is ${cell === "" ? "empty" : JSON.stringify(cell)}, not a number`, line);
    }
    values[at] = value;
  }
  return values;
}

export function refuse(name: string, what: string, line?: number): never {
  throw new LimbeckError("bad_data", `${name}${line === undefined ? "" : `:${line}`}: ${what}`);
}
