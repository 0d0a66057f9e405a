/** CSV: a header row, then one example per row; all columns but the label's are features, each a number. */
import { resolve } from "node:path";
import { excerpt } from "../../core/words.ts";
import { readTable, refuse, type Table } from "./csvtable.ts";
import type { DecodedFile, Reader } from "./decoded.ts";
import { readDataFile } from "./files.ts";

/** The class of each known label, and what a label has to be. */
interface Labels {
  classOf(label: string): number | undefined;
  /** By class; empty where labels are numbers. */
  readonly names: readonly string[];
  readonly wanted: string;
}

/**
 * Labels are whole numbers from 0, or names; the first training label says which. The classes of names are the
 * training split's names in sorted order.
 */
export const readCsv: Reader = async (spec, folder) => {
  const label = spec.label!; // The job's schema wants it for csv.
  const train = await readTable(await readDataFile(resolve(folder, spec.train.examples)), label);
  const test = await readTable(await readDataFile(resolve(folder, spec.test.examples)), label, train);
  const labels = Number.isNaN(Number(train.labels[0])) ? named(train) : numbered;
  const shape = [train.header.features.length];
  return { shape, train: decoded(train, labels), test: decoded(test, labels), classNames: labels.names };
};

const most = 2 ** 31 - 1;

const numbered: Labels = {
  names: [],
  classOf(label) {
    const value = Number(label);
    return Number.isInteger(value) && value >= 0 && value <= most ? value : undefined;
  },
  wanted: "a whole number from 0, as the first training label is a number",
};

function named({ name, labels }: Table): Labels {
  const names = [...new Set(labels)].sort();
  const classes = new Map(names.map((each, index) => [each, index]));
  const shown = names.length > 10 ? [...names.slice(0, 10), "…"] : names;
  return {
    names,
    classOf: (label) => classes.get(label),
    wanted: `one of the labels in ${name} (${excerpt(shown.join(", "), 300)})`,
  };
}

function decoded({ name, header, values, labels, lines }: Table, { classOf, wanted }: Labels): DecodedFile {
  const classes = labels.map(
    (label, row) =>
      classOf(label) ??
      refuse(
        name,
        `column ${header.label} (the label) is ${JSON.stringify(excerpt(label))}, must be ${wanted}`,
        lines[row],
      ),
  );
  return {
    values,
    labels: Int32Array.from(classes),
    place: (example) => `${name}:${lines[example]}: example ${example}`,
  };
}
