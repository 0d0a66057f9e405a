/** Curves that stay small: points are merged by two when there are too many, and the extremes stay. */
import { rounded } from "../words.ts";

/** By name; null where there is none. */
export type Values<Name extends string> = Readonly<Record<Name, number | null>>;

/** Columns of equal length; a row stands for one point or for several neighbours. */
export interface Columns<Name extends string> {
  /** Points in a row, the first row and the last one excepted. */
  readonly width: number;
  /** Points in the last row. */
  readonly filled: number;
  /** Of a row's last point. */
  readonly step: readonly number[];
  readonly epoch: readonly number[];
  readonly last: Readonly<Record<Name, readonly (number | null)[]>>;
  /** Over a row's points; null where that is `last`. */
  readonly least: Readonly<Record<Name, readonly (number | null)[]>>;
  readonly most: Readonly<Record<Name, readonly (number | null)[]>>;
}

type Cells<Name extends string> = Record<Name, (number | null)[]>;

export class Track<Name extends string> {
  readonly #names: readonly Name[];
  readonly #mostRows: number;
  #width = 1;
  #filled = 0;
  #step: number[] = [];
  #epoch: number[] = [];
  readonly #last: Cells<Name>;
  readonly #least: Cells<Name>;
  readonly #most: Cells<Name>;

  /** @param mostRows at least 3 */
  constructor(names: readonly Name[], mostRows: number) {
    this.#names = names;
    this.#mostRows = mostRows;
    const none = () => Object.fromEntries(names.map((name) => [name, []])) as unknown as Cells<Name>;
    [this.#last, this.#least, this.#most] = [none(), none(), none()];
  }

  static of<Name extends string>(names: readonly Name[], mostRows: number, columns: Columns<Name>): Track<Name> {
    const track = new Track(names, mostRows);
    track.#width = columns.width;
    track.#filled = columns.filled;
    track.#step = [...columns.step];
    track.#epoch = [...columns.epoch];
    for (const name of names) {
      const last = columns.last[name];
      track.#last[name] = [...last];
      for (const of of ["least", "most"] as const) {
        track.#cells(of)[name] = columns[of][name].map((value, at) => value ?? last[at]!);
      }
    }
    return track;
  }

  get length(): number {
    return this.#step.length;
  }

  get epochs(): readonly number[] {
    return this.#epoch;
  }

  /** Of a curve, row by row: its last values, or the extremes. */
  values(name: Name, of: "last" | "least" | "most" = "last"): readonly (number | null)[] {
    return this.#cells(of)[name];
  }

  /** What had come at this step or after it did not happen, for all went back to a checkpoint: such rows go as a whole. */
  add(step: number, epoch: number, values: Values<Name>): void {
    while (this.length > 0 && this.#step.at(-1)! >= step) this.#dropLast();
    // The first point stays as it was.
    if (this.length > 1 && this.#filled < this.#width) this.#filled += 1;
    else {
      this.#filled = 1;
      for (const name of this.#names) for (const of of cellKinds) this.#cells(of)[name].push(null);
      this.#step.push(step);
      this.#epoch.push(epoch);
    }
    const row = this.length - 1;
    this.#step[row] = step;
    this.#epoch[row] = epoch;
    for (const name of this.#names) {
      const value = values[name];
      this.#spread(name, row, { last: value, least: value, most: value });
    }
    if (this.length > this.#mostRows) this.#halve();
  }

  columns(): Columns<Name> {
    const shown = (column: (name: Name) => (number | null)[]) =>
      Object.fromEntries(
        this.#names.map((name) => [name, column(name).map((cell) => cell && rounded(cell))]),
      ) as Cells<Name>;
    const unlessLast = (of: "least" | "most") =>
      shown((name) => this.#cells(of)[name].map((value, at) => (value === this.#last[name][at] ? null : value)));
    return {
      ...{ width: this.#width, filled: this.#filled },
      ...{ step: [...this.#step], epoch: this.#epoch.map((epoch) => rounded(epoch)) },
      ...{ last: shown((name) => this.#last[name]), least: unlessLast("least"), most: unlessLast("most") },
    };
  }

  #cells(of: (typeof cellKinds)[number]): Cells<Name> {
    return of === "last" ? this.#last : of === "least" ? this.#least : this.#most;
  }

  #dropLast(): void {
    this.#truncate(this.length - 1);
    this.#filled = this.length > 1 ? this.#width : 1;
  }

  #truncate(rows: number): void {
    this.#step.length = rows;
    this.#epoch.length = rows;
    for (const name of this.#names) for (const of of cellKinds) this.#cells(of)[name].length = rows;
  }

  /** Rows after the first are merged by two; one that is left over is filled further. */
  #halve(): void {
    const rows = this.length;
    for (let from = 1; from < rows; from++) {
      const to = Math.ceil(from / 2);
      const isFirst = from % 2 === 1;
      this.#step[to] = this.#step[from]!;
      this.#epoch[to] = this.#epoch[from]!;
      for (const name of this.#names) {
        const row = { last: this.#last[name][from]!, least: this.#least[name][from]!, most: this.#most[name][from]! };
        if (isFirst) for (const of of cellKinds) this.#cells(of)[name][to] = null;
        this.#spread(name, to, row);
      }
    }
    // The last row alone, or merged with a full one.
    if (rows % 2 === 1) this.#filled += this.#width;
    this.#width *= 2;
    this.#truncate(Math.ceil((rows - 1) / 2) + 1);
  }

  /** Takes later points into a row. */
  #spread(
    name: Name,
    row: number,
    { last, least, most }: Readonly<Record<"last" | "least" | "most", number | null>>,
  ): void {
    if (last !== null) this.#last[name][row] = last;
    const [low, high] = [this.#least[name][row]!, this.#most[name][row]!];
    if (least !== null && (low === null || least < low)) this.#least[name][row] = least;
    if (most !== null && (high === null || most > high)) this.#most[name][row] = most;
  }
}

const cellKinds = ["last", "least", "most"] as const;
