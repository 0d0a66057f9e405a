/** Why a term is opened, in one of a few words: what a metric can count. The sentence beside it says the rest. */
export const termReasons = [
  /** The job's first term. */
  "start",
  /** The next stage begins. */
  "stage",
  /** A pause is over. */
  "resumed",
  /** Not all members came back to a coordinator that was started again. */
  "restarted",
  "joined",
  "left",
  /** A member died, fell silent, or is out of the others' reach. */
  "lost",
  "diverged",
  /** Another deal is faster. */
  "speed",
  /** A worker gets another role. */
  "role",
] as const;

export type TermReason = (typeof termReasons)[number];
