/** What a short calibration measures on a machine, in seconds and bytes, alone on it. Everything that is predicted follows from it. */

/** A student of one lane owner, in training. */
export interface TrainingCost {
  /** Forward, loss and gradients of one lane. */
  readonly laneSeconds: number;
  /** Of one step, whatever the lanes: update, and what passes between the threads. */
  readonly stepSeconds: number;
  /** Floats of the gradient vector, that the students exchange. */
  readonly gradient: number;
  /** Floats of weights and optimizer state: a checkpoint. */
  readonly state: number;
}

export interface Calibration {
  readonly machine: {
    readonly cores: number;
    /** Compute threads per worker. */
    readonly threads: number;
    readonly gpu: boolean;
    /** How many times the work of one process two do at once: 2 where they do not disturb each other. */
    readonly twoAtOnce: number;
  };
  readonly dataset: {
    readonly trainExamples: number;
    readonly evaluationExamples: number;
    readonly classes: number;
  };
  /** null for a teacher that is not trained here. */
  readonly teach: TrainingCost | null;
  readonly student: TrainingCost;
  /** Inference on one lane, views included. */
  readonly forward: { readonly teacherSeconds: number; readonly studentSeconds: number };
  readonly weights: { readonly teacher: number; readonly student: number };
  /** Of a worker: engine and dataset. */
  readonly prepareSeconds: number;
  /** Copying a float32 from one vector to another. */
  readonly copySecondsPerFloat: number;
}
