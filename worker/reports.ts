/** What a worker tells the coordinator, under the term it was told for (L3). */
import type { Checkpointed } from "../proto/gen/limbeck/v1/Checkpointed.ts";
import type { Exported } from "../proto/gen/limbeck/v1/Exported.ts";
import type { FromWorker } from "../proto/gen/limbeck/v1/FromWorker.ts";
import type { Progress } from "../proto/gen/limbeck/v1/Progress.ts";
import type { Ready } from "../proto/gen/limbeck/v1/Ready.ts";
import type { StageDone } from "../proto/gen/limbeck/v1/StageDone.ts";
import type { ChunkEvaluation } from "./evaluate.ts";

export interface EvaluationShare {
  readonly stage: string;
  readonly step: number;
  readonly last: boolean;
  /** Of the whole evaluation. */
  readonly chunks: number;
  readonly results: readonly ChunkEvaluation[];
}

export class Reports {
  readonly #term: number;
  readonly #send: (message: FromWorker) => void;

  constructor(term: number, send: (message: FromWorker) => void) {
    this.#term = term;
    this.#send = send;
  }

  ready(ready: Ready): void {
    this.#send({ term: this.#term, ready });
  }

  progress(progress: Progress): void {
    this.#send({ term: this.#term, progress });
  }

  evaluated({ results, ...share }: EvaluationShare): void {
    const chunks = results.map(({ predictions, ...rest }) => ({
      ...rest,
      predictions: bytesOf(predictions),
      correct: Buffer.from(rest.correct),
    }));
    this.#send({ term: this.#term, evaluated: { ...share, results: chunks } });
  }

  checkpointed(checkpointed: Checkpointed): void {
    this.#send({ term: this.#term, checkpointed });
  }

  stageDone(stageDone: StageDone): void {
    this.#send({ term: this.#term, stageDone });
  }

  exported(exported: Exported): void {
    this.#send({ term: this.#term, exported });
  }
}

function bytesOf(values: Uint16Array): Buffer {
  return Buffer.from(values.buffer, values.byteOffset, values.byteLength);
}
