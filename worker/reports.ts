/** What a worker tells the coordinator, under the term it was told for (L3). */
import type { FromWorker } from "../proto/gen/limbeck/v1/FromWorker.ts";
import { bytesOf } from "./bytes.ts";
import type { ChunkEvaluation } from "./evaluate.ts";

export interface EvaluationShare {
  readonly stage: string;
  readonly step: number;
  readonly last: boolean;
  /** Of the whole evaluation. */
  readonly chunks: number;
  readonly results: readonly ChunkEvaluation[];
}

/** In one message: more would be refused, for a message has a size and a number of parts (proto/intake/parts.ts). */
const [mostChunks, mostBytes] = [4_096, 4 * 2 ** 20];

export type Report = Omit<FromWorker, "term" | "body">;

export class Reports {
  readonly #term: number;
  readonly #send: (message: FromWorker) => void;

  constructor(term: number, send: (message: FromWorker) => void) {
    this.#term = term;
    this.#send = send;
  }

  tell(report: Report): void {
    this.#send({ term: this.#term, ...report });
  }

  evaluated({ results, ...share }: EvaluationShare): void {
    const chunks = results.map(({ predictions, labels, confidences, ...rest }) => ({
      ...rest,
      predictions: bytesOf(predictions),
      labels: bytesOf(labels),
      confidences: bytesOf(confidences),
    }));
    const bytesEach = 8 * results.reduce((largest, { examples }) => Math.max(largest, examples), 1);
    const most = Math.max(1, Math.min(mostChunks, Math.floor(mostBytes / bytesEach)));
    // A share of no chunk is told, too.
    for (let from = 0; from === 0 || from < chunks.length; from += most) {
      this.tell({ evaluated: { ...share, results: chunks.slice(from, from + most) } });
    }
  }

  /** @param examples ids to look at */
  skipped({ examples, ...skipped }: SkippedLane): void {
    this.tell({ skipped: { ...skipped, examples: bytesOf(examples) } });
  }
}

export interface SkippedLane {
  readonly stage: string;
  readonly step: number;
  readonly lane: number;
  readonly examples: Uint32Array;
  readonly why: string;
}
