/** The one interface all dataset readers fit: IDX and CSV now; Parquet, image folders and JSONL later. */
import type { ViewSpec } from "../../core/jobparts.ts";

export type Split = "train" | "validation" | "test";

/** A fully described view of examples: a pure function of these and the example id. */
export interface ViewKey {
  readonly spec: ViewSpec;
  readonly seed: number;
  readonly epoch: number;
}

/** What is known of a dataset by who has not opened it, too. */
export interface DatasetFacts {
  readonly shape: readonly number[];
  readonly classes: number;
  readonly digest: string;
  readonly trainExamples: number;
}

export interface Dataset {
  /** Shape of one example, e.g. [28, 28, 1] or [columns]. */
  readonly shape: readonly number[];
  readonly classes: number;
  /** By class; empty where the dataset has no names. */
  readonly classNames: readonly string[];
  /** sha256 over the decoded bytes of examples and labels of all splits and over the normalization. */
  readonly digest: string;
  /** Number of examples of a split; example ids of the split are 0 … count-1. */
  count(split: Split): number;
  /**
   * Writes normalised float32 examples, one after another.
   * @param examples ids within the split
   * @param view null for the plain example
   * @param into at least examples.length × product(shape) floats
   */
  examples(split: Split, examples: Uint32Array, view: ViewKey | null, into: Float32Array): void;
  /** Writes the label of each example. */
  labels(split: Split, examples: Uint32Array, into: Int32Array): void;
}

export function factsOf({ shape, classes, digest, count }: Dataset): DatasetFacts {
  return { shape, classes, digest, trainExamples: count("train") };
}
