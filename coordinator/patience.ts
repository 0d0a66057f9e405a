/** L7. How long what may last, where nobody says otherwise. */
import type { Patience } from "./state.ts";

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
