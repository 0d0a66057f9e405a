/** Rows under columns, as wide as the terminal: where that is narrow, the least important columns are left out. */
import stringWidth from "string-width";
import { plain } from "../../core/plaintext.ts";
import { fit } from "./text.ts";

export interface Column<T> {
  readonly title: string;
  readonly align?: "right";
  /** The lowest is left out first; the highest never. */
  readonly rank: number;
  /** It may be cut to so many columns before another is left out. */
  readonly least?: number;
  of(row: T): string;
}

interface Laid<T> {
  readonly column: Column<T>;
  /** Of its widest cell. */
  readonly widest: number;
}

const gap = "  ";

export interface Grid {
  readonly head: string;
  readonly lines: readonly string[];
}

/**
 * @param width in columns of the terminal; infinite where nothing is to be cut
 * @param shown the rows to be made lines of; all are measured, so that nothing moves when others are shown
 */
export function grid<T>(
  columns: readonly Column<T>[],
  rows: readonly T[],
  { width, shown = rows }: { width: number; shown?: readonly T[] },
): Grid {
  const laid = columns.map((column) => ({ column, widest: widestOf(column, rows) }));
  const kept = fitting(laid, width);
  const spare = width - taken(kept);
  const widths = kept.map(({ column, widest }) =>
    column.least === undefined ? widest : Math.min(widest, leastOf({ column, widest }) + Math.max(0, spare)),
  );
  const line = (cell: (column: Column<T>) => string) => {
    const cells = kept.map(({ column }, at) => fit(cell(column), widths[at]!, column.align));
    return cells.join(gap).trimEnd();
  };
  return { head: line(({ title }) => title), lines: shown.map((row) => line((column) => plain(column.of(row)))) };
}

function widestOf<T>(column: Column<T>, rows: readonly T[]): number {
  return rows.reduce((most, row) => Math.max(most, stringWidth(plain(column.of(row)))), stringWidth(column.title));
}

/** Without the columns of lowest rank that have no room. */
function fitting<T>(laid: readonly Laid<T>[], width: number): readonly Laid<T>[] {
  if (laid.length === 1 || taken(laid) <= width) return laid;
  const lowest = Math.min(...laid.map(({ column }) => column.rank));
  return fitting(
    laid.filter(({ column }) => column.rank !== lowest),
    width,
  );
}

function taken<T>(laid: readonly Laid<T>[]): number {
  return laid.reduce((sum, each) => sum + leastOf(each), gap.length * (laid.length - 1));
}

function leastOf<T>({ column, widest }: Laid<T>): number {
  return Math.min(widest, column.least ?? widest);
}

/** Whoever reads it through a pipe, or on a terminal that does not know its size, gets all of it. */
export function gridWidth(): number {
  return (process.stdout.isTTY && process.stdout.columns) || Number.POSITIVE_INFINITY;
}
