/** Whoever a student asks for soft targets: teachers that serve the whole, or members of an ensemble whose answers are mixed. */
import type { BreakerState } from "./breaker.ts";
import type { SoftTargetCounts } from "./counts.ts";
import type { PartTeacher } from "./link.ts";
import type { SoftTargetKey } from "./provenance.ts";

export interface SoftTargetSource {
  /**
   * Logits [examples, classes].
   * @param spareMs until it is needed
   * @throws wrong_key, corrupt, unavailable, server_away, or the signal's reason
   */
  request(key: SoftTargetKey, signal: AbortSignal, spareMs?: number): Promise<Float32Array>;
  /** Since the last call. */
  takeCounts(): SoftTargetCounts;
  /** How long answers take, at the share of them that is late; null before anything is known. */
  readonly latencyMs: number | null;
  /** The teachers whose answers are awaited, in words; empty where none (L7). */
  readonly waitingFor: string;
  /** Something is asked for that no teacher is left to answer. */
  readonly isStranded: boolean;
  /** Something is asked for that nobody can answer before a server is back that a teacher asks. */
  readonly isServerAway: boolean;
  readonly standing: Standing;
  /** Whom to ask from now on: what is owed by one that is not among them is asked of another. */
  teachersAre(teachers: readonly PartTeacher[]): void;
  /** Ends the streams; what is outstanding fails with `stopped`. */
  close(): void;
}

export interface Standing {
  /** Requests whose answers are on their way. */
  readonly awaited: number;
  /** Those that nobody can be asked for. */
  readonly stranded: number;
  /** How many teachers have their breaker in each state. */
  readonly breakers: Readonly<Record<BreakerState, number>>;
}
