/**
 * A worker's control in a job, pure: what it does about what the coordinator says and about what becomes of its own
 * work. Time, tensors and sockets are the shell's (worker/participation.ts); test/sim runs this very code on a virtual
 * clock. A worker decides no membership (L5): where its work cannot go on, it says so and waits for the next term.
 */
import type { LimbeckErrorCode } from "./errors.ts";

/** What of an Assign the control looks at. The shell's own `A` carries the rest. */
export interface Assigned {
  readonly term: number;
  /** Nobody died: a step in flight may be finished first. */
  readonly planned: boolean;
  /** It has lanes, or serves soft targets, in this term; else it stands by. */
  readonly member: boolean;
}

/** Where the members of a term begin. */
export interface Beginning {
  readonly term: number;
  /** Updates that the furthest member has applied: all begin there. */
  readonly step: number;
  /** Members that are there. */
  readonly sources: readonly string[];
  /** Of them, those that hold the gradient sum of step - 1. */
  readonly sumSources: readonly string[];
  /** The evaluation due at this step is not complete. */
  readonly evaluate: boolean;
  /** Fingerprint of the engine that the job's soft targets are computed with. */
  readonly teacherEngine: string;
  /** Why soft targets must not be cached, as the teachers found; empty where they may. */
  readonly uncacheable: string;
}

/** How a replica gets to the step at which its term begins. */
export type CatchUp =
  /** One step behind: apply the sum of the step before once more; the same bits as the whole state (L1). */
  | { readonly kind: "sum"; readonly from: readonly string[] }
  | { readonly kind: "state"; readonly from: readonly string[] };

/** What went wrong with work in the current term. */
export interface Trouble {
  readonly code: LimbeckErrorCode;
  readonly message: string;
  /** The other member that did not answer, where there is one. */
  readonly about?: string;
}

/** What comes when the work in flight has stopped. */
export type Next<A> =
  | { readonly kind: "nothing" }
  | { readonly kind: "assigned"; readonly assigned: A }
  | { readonly kind: "follow" };

export type Work<A> =
  | { readonly kind: "none" }
  /** Until the work of the term before has ended. */
  | {
      readonly kind: "stopping";
      readonly next: Next<A> /** Why the replica is forgotten then. */;
      readonly forget: string | null;
    }
  | { readonly kind: "preparing" }
  | { readonly kind: "ready" }
  | { readonly kind: "catching-up"; readonly beginning: Beginning }
  | { readonly kind: "training" }
  | { readonly kind: "following" }
  /** A teacher that came while the term ran, and gives soft targets in it. */
  | { readonly kind: "serving" }
  /** The term cannot go on here; the coordinator will open another. */
  | { readonly kind: "stalled"; readonly why: string }
  /** With the stage. */
  | { readonly kind: "finished" }
  | { readonly kind: "exporting" };

export interface Participant<A> {
  /** The newest term heard of (L3); 0 before the first. */
  readonly term: number;
  readonly work: Work<A>;
}

export type ParticipantEvent<A> =
  | { readonly kind: "assigned"; readonly assigned: A }
  | { readonly kind: "begun"; readonly beginning: Beginning /** Of the own replica. */; readonly step: number }
  | { readonly kind: "paused"; readonly term: number; readonly why: string }
  | { readonly kind: "told-to-follow"; readonly term: number }
  | { readonly kind: "told-to-export"; readonly term: number }
  /** The shell did what it was asked for in this term, or could not. */
  | { readonly kind: "prepared"; readonly term: number }
  | { readonly kind: "caught-up"; readonly term: number }
  | { readonly kind: "serves"; readonly term: number }
  | { readonly kind: "finished"; readonly term: number }
  | { readonly kind: "exported"; readonly term: number }
  | { readonly kind: "troubled"; readonly term: number; readonly trouble: Trouble }
  /** What was told to stop has stopped: nothing of it writes any more. */
  | { readonly kind: "stopped" }
  /** The coordinator does not know this life of the worker any more. */
  | { readonly kind: "fenced"; readonly why: string };

export type ParticipantEffect<A> =
  /** End the work in flight, after its step where it is `planned`; then say `stopped`. */
  | { readonly kind: "stop"; readonly planned: boolean; readonly why: string }
  /** Lay out the term and tell the coordinator where the replica stands. */
  | { readonly kind: "prepare"; readonly assigned: A }
  /** Stand by in a term; the replica is kept. */
  | { readonly kind: "stand-by"; readonly assigned: A }
  | { readonly kind: "catch-up"; readonly how: CatchUp; readonly beginning: Beginning }
  | { readonly kind: "train"; readonly beginning: Beginning }
  | { readonly kind: "follow" }
  | { readonly kind: "export" }
  | { readonly kind: "suspect"; readonly worker: string; readonly why: string }
  /** Nothing another term could mend. */
  | { readonly kind: "fail"; readonly trouble: Trouble }
  /** Forget the replica and join as new. Nothing works on it. */
  | { readonly kind: "forget"; readonly why: string };

export type NextParticipant<A> = readonly [Participant<A>, ...ParticipantEffect<A>[]];

export const newParticipant: Participant<never> = { term: 0, work: { kind: "none" } };

const nothing = { kind: "nothing" } as const;

export function participate<A extends Assigned>(state: Participant<A>, event: ParticipantEvent<A>): NextParticipant<A> {
  switch (event.kind) {
    case "assigned":
      return assign(state, event.assigned);
    case "begun":
      return begin(state, event.beginning, event.step);
    case "paused":
      return event.term === state.term ? halt(state, nothing, { planned: false, why: event.why }) : [state];
    case "told-to-follow":
      return follow(state, event.term);
    case "told-to-export":
      return is(state, event.term, "finished")
        ? [{ ...state, work: { kind: "exporting" } }, { kind: "export" }]
        : [state];
    case "prepared":
      return is(state, event.term, "preparing") ? [{ ...state, work: { kind: "ready" } }] : [state];
    case "caught-up": {
      if (state.term !== event.term || state.work.kind !== "catching-up") return [state];
      return train(state, state.work.beginning);
    }
    case "serves":
      return is(state, event.term, "following") ? [{ ...state, work: { kind: "serving" } }] : [state];
    case "finished":
      return is(state, event.term, "training") ? [{ ...state, work: { kind: "finished" } }] : [state];
    case "exported":
      return is(state, event.term, "exporting") ? [{ ...state, work: { kind: "finished" } }] : [state];
    case "troubled":
      return trouble(state, event.term, event.trouble);
    case "stopped":
      return state.work.kind === "stopping" ? proceed(state, state.work.next, state.work.forget) : [state];
    case "fenced":
      return halt({ ...state, term: 0 }, nothing, { planned: false, why: event.why }, event.why);
  }
}

/** It has a place in its term: others count on it. */
export function isMember({ work }: Participant<Assigned>): boolean {
  if (work.kind === "stopping") return work.next.kind === "assigned" && work.next.assigned.member;
  return work.kind !== "none" && work.kind !== "following";
}

function assign<A extends Assigned>(state: Participant<A>, assigned: A): NextParticipant<A> {
  if (assigned.term <= state.term) return [state]; // L3.
  const how = { planned: assigned.planned, why: `term ${assigned.term} has begun` };
  return halt({ ...state, term: assigned.term }, { kind: "assigned", assigned }, how);
}

/**
 * A newer order to follow drops the feed of the older one. Whoever has a place in the term is not asked to; a teacher that
 * served before the coordinator knew finds in a newer one that it has none.
 */
function follow<A extends Assigned>(state: Participant<A>, term: number): NextParticipant<A> {
  if (term < state.term) return [state]; // L3.
  const { work } = state;
  const isFree =
    work.kind === "none" ||
    work.kind === "following" ||
    (work.kind === "serving" && term > state.term) ||
    (work.kind === "stopping" && !(work.next.kind === "assigned" && work.next.assigned.member));
  if (!isFree) return [state];
  return halt({ ...state, term }, { kind: "follow" }, { planned: false, why: `it follows in term ${term}` });
}

/** Ends what is under way, then goes on with `next`. */
function halt<A extends Assigned>(
  state: Participant<A>,
  next: Next<A>,
  how: { planned: boolean; why: string },
  forget: string | null = null,
): NextParticipant<A> {
  switch (state.work.kind) {
    case "stopping": {
      // The latest order counts; an urgent one also ends the step that a planned one let finish.
      const work = { kind: "stopping", next, forget: forget ?? state.work.forget } as const;
      return [
        { ...state, work },
        { kind: "stop", ...how },
      ];
    }
    case "preparing":
    case "catching-up":
    case "training":
    case "following":
    case "exporting":
      return [
        { ...state, work: { kind: "stopping", next, forget } },
        { kind: "stop", ...how },
      ];
    case "none":
    case "ready":
    case "serving":
    case "stalled":
    case "finished":
      return proceed(state, next, forget);
  }
}

function proceed<A extends Assigned>(state: Participant<A>, next: Next<A>, forget: string | null): NextParticipant<A> {
  const first: ParticipantEffect<A>[] = forget === null ? [] : [{ kind: "forget", why: forget }];
  switch (next.kind) {
    case "nothing":
      return [{ ...state, work: { kind: "none" } }, ...first];
    case "follow":
      return [{ ...state, work: { kind: "following" } }, ...first, { kind: "follow" }];
    case "assigned": {
      const { assigned } = next;
      return assigned.member
        ? [{ ...state, work: { kind: "preparing" } }, ...first, { kind: "prepare", assigned }]
        : [{ ...state, work: { kind: "none" } }, ...first, { kind: "stand-by", assigned }];
    }
  }
}

function begin<A>(state: Participant<A>, beginning: Beginning, step: number): NextParticipant<A> {
  if (!is(state, beginning.term, "ready")) return [state]; // L3.
  const how = catchUp(beginning, step);
  if (how === null) return train(state, beginning);
  return [
    { ...state, work: { kind: "catching-up", beginning } },
    { kind: "catch-up", how, beginning },
  ];
}

function train<A>(state: Participant<A>, beginning: Beginning): NextParticipant<A> {
  return [
    { ...state, work: { kind: "training" } },
    { kind: "train", beginning },
  ];
}

/** What a replica at `step` needs to begin with the others; null where it is there. */
export function catchUp({ step: target, sources, sumSources }: Beginning, step: number): CatchUp | null {
  if (step === target) return null;
  return step === target - 1 && sumSources.length > 0
    ? { kind: "sum", from: sumSources }
    : { kind: "state", from: sources };
}

function trouble<A>(state: Participant<A>, term: number, found: Trouble): NextParticipant<A> {
  if (term !== state.term || state.work.kind === "stopping") return [state]; // It ends anyway.
  if (!isMendable(found))
    return [
      { ...state, work: { kind: "none" } },
      { kind: "fail", trouble: found },
    ];
  // Whoever follows has no place in the term: it waits to be told whom to follow next.
  const work = state.work.kind === "following" ? ({ kind: "none" } as const) : stalled(found.message);
  const next = { ...state, work };
  if (found.about === undefined || found.code === "stale_term") return [next];
  return [next, { kind: "suspect", worker: found.about, why: found.message }];
}

function stalled(why: string): Work<never> {
  return { kind: "stalled", why };
}

/** What looks from here like another member's death, or the end of the term: a new term mends it. A full disk stays full. */
function isMendable({ code, about }: Trouble): boolean {
  return code === "stale_term" || code === "lost_worker" || about !== undefined;
}

function is<A>(state: Participant<A>, term: number, kind: Work<A>["kind"]): boolean {
  return state.term === term && state.work.kind === kind;
}
