/** Gathers what steps cost and brought, and sends it to the coordinator a few times a second, as soon as there is one. */
import { metricNames } from "../core/layout.ts";
import type { Phase } from "../core/phases.ts";
import type { Stage } from "../core/stages.ts";

const sendEveryMs = 250;
export type PhaseSeconds = Readonly<Record<Phase, number>>;

/** What limbeck.v1.Progress carries. */
export interface StepSums {
  readonly step: number;
  readonly steps: number;
  readonly examples: number;
  readonly seconds: number;
  readonly metrics: Record<(typeof metricNames)[number], number>;
  readonly phases: PhaseSeconds;
  readonly learningRate: number;
  /** Of the last step that was not skipped. */
  readonly gradientNorm: number;
}

export interface ReportHearer {
  send(sums: StepSums): void;
  /** What is sent now arrives. */
  isHeard(): boolean;
  /** Told of every step, and what it took. */
  stepped(step: number, phases: PhaseSeconds): void;
}

interface SteppedOnce {
  readonly step: number;
  /** Examples of the own lanes. */
  readonly own: number;
  /** Sums over the global batch, in the order of metricNames; null for a step that was skipped. */
  readonly metrics: Float32Array | null;
  readonly learningRate: number;
  /** null for a step that was skipped. */
  readonly gradientNorm: number | null;
}

export class StepReport {
  readonly stage: Stage;
  readonly #hearer: ReportHearer;
  readonly #total: number;
  #isFirst = true;
  #sums = emptySums();
  /** Of the step under way. */
  #phases = noPhases();
  #since = performance.now();
  #phaseSince = performance.now();

  constructor({ stage, steps }: { stage: Stage; steps: number }, hearer: ReportHearer) {
    this.stage = stage;
    this.#total = steps;
    this.#hearer = hearer;
  }

  /** How long the phase under way has taken so far. */
  get phaseMs(): number {
    return performance.now() - this.#phaseSince;
  }

  async timed<T>(phase: Phase, work: () => Promise<T>): Promise<T> {
    const start = performance.now();
    this.#phaseSince = start;
    try {
      return await work();
    } finally {
      const seconds = (performance.now() - start) / 1000;
      this.#sums.phases[phase] += seconds;
      this.#phases[phase] += seconds;
    }
  }

  stepped(step: SteppedOnce): void {
    const sums = this.#sums;
    sums.step = step.step;
    sums.learningRate = step.learningRate;
    sums.gradientNorm = step.gradientNorm ?? sums.gradientNorm;
    sums.steps += 1;
    sums.examples += step.own;
    metricNames.forEach((name, index) => {
      sums.metrics[name] += step.metrics?.[index] ?? 0;
    });
    this.#hearer.stepped(step.step, this.#phases);
    this.#phases = noPhases();
    const now = performance.now();
    // A term's first step is told at once: that it was made ends a pause for those who watch.
    if (!this.#isFirst && now - this.#since < sendEveryMs && step.step < this.#total) return;
    if (!this.#hearer.isHeard()) return;
    this.#isFirst = false;
    this.flush();
  }

  /** Says what has not been said. */
  flush(): void {
    if (this.#sums.steps === 0) return;
    const now = performance.now();
    this.#hearer.send({ ...this.#sums, seconds: (now - this.#since) / 1000 });
    this.#sums = emptySums();
    this.#since = now;
  }

  /** Runs what is not training (an evaluation, a checkpoint): its time does not count as the steps'. */
  async outside<T>(work: () => Promise<T>): Promise<T> {
    const start = performance.now();
    try {
      return await work();
    } finally {
      this.#since += performance.now() - start;
    }
  }
}

function emptySums() {
  return {
    step: 0,
    steps: 0,
    learningRate: 0,
    gradientNorm: 0,
    examples: 0,
    metrics: { examples: 0, loss: 0, hardLoss: 0, softLoss: 0, correct: 0, agree: 0 },
    phases: noPhases(),
  };
}

function noPhases() {
  return { data: 0, softTargets: 0, compute: 0, exchange: 0, apply: 0 };
}
