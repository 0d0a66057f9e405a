/** L7. How long what may last, and how long it does where nobody says otherwise. */

/** In milliseconds. */
export interface Patience {
  /** Silence after which a worker is lost. */
  readonly silenceMs: number;
  /** Without a worker that joins or gets prepared, before the job has begun. */
  readonly gatherMs: number;
  /** With too few workers to go on. */
  readonly pauseMs: number;
  /** For the members of a term to come back to a coordinator that was started again; from the first on that is back. */
  readonly rejoinMs: number;
  /** For the first of them, where the one before may have been stopped: they wait for it, and know of no other yet. */
  readonly returnMs: number;
  /** Without a member that gets ready. */
  readonly readyMs: number;
  /** Without a step, an evaluated chunk or a student that is done. */
  readonly progressMs: number;
  readonly exportMs: number;
  /** Between the suspicion that a member is out of another's reach, and its being believed. */
  readonly blameMs: number;
  /** For the workers to leave when the job is over. */
  readonly leaveMs: number;
  /** For the last checkpoint of a job that is told to stop. */
  readonly lastCheckpointMs: number;
  /** Of a term, before its deal is weighed against the measured speeds. */
  readonly weighMs: number;
  /** The same, where one takes part that was left out before. */
  readonly trialMs: number;
  /** Before a worker that was left out, or out of reach, is tried again; doubles each time. */
  readonly benchMs: number;
  /** Of steps under a split into teachers and students, and at least how many of them, before it is judged. */
  readonly splitMs: number;
  readonly splitSteps: number;
  /** Before other splits are tried again, where none was better; doubles each time. */
  readonly resplitMs: number;
}

export const usualPatience: Patience = {
  silenceMs: 1_200,
  gatherMs: 120_000,
  pauseMs: 24 * 3_600_000,
  rejoinMs: 3_000,
  returnMs: 3_000,
  readyMs: 300_000,
  progressMs: 600_000,
  exportMs: 300_000,
  blameMs: 500,
  leaveMs: 10_000,
  lastCheckpointMs: 5_000,
  weighMs: 3_000,
  trialMs: 500,
  benchMs: 10_000,
  splitMs: 3_000,
  splitSteps: 10,
  resplitMs: 15_000,
};

/** Where several coordinators stand by: one that is stopped keeps its sessions until pings find it (proto/wire.ts). */
export const standbyPatience: Partial<Patience> = { returnMs: 20_000 };

/** Where a checkpoint has a way to go before it is told of. */
export const depotPatience: Partial<Patience> = { lastCheckpointMs: 20_000 };
