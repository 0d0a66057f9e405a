/** What a reader makes of a dataset's files, before limits, hold-out and normalization. */
import type { Job } from "../../core/job.ts";

export type DatasetSpec = Job["dataset"];

/** One example's features: bytes where the file has bytes, so that MNIST stays 47 MB. */
export type Values = Uint8Array | Float32Array | Float64Array;

export interface DecodedFile {
  /** [count × product(shape)], row-major, as in the file; of those beyond the job's limit a reader may leave them out. */
  readonly values: Values;
  /** [count], each at least 0. Of all that the file has. */
  readonly labels: Int32Array;
  /** Where an example lies, to begin an error message with: file and example or line. */
  place(example: number): string;
}

export interface Decoded {
  /** Shape of one example: [height, width, channels] or [columns]. */
  readonly shape: readonly number[];
  readonly train: DecodedFile;
  readonly test: DecodedFile;
  /** By class, where the files name them. */
  readonly classNames?: readonly string[];
}

/**
 * Reads the training and test files named in `spec`, found from `folder`.
 * @throws LimbeckError bad_data, with the file
 */
export type Reader = (spec: DatasetSpec, folder: string) => Promise<Decoded>;
