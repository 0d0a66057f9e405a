/**
 * Who gets the workers beyond the fewest: free ones go one by one, by priority and then to the job that would end last,
 * or whose students wait for a teacher. Workers of running jobs move seldom, for a move costs both jobs a term.
 */
import { changed, couldUse, fewest, type Have, haveOf, meets, most, studentsOf } from "./needs.ts";
import type { Count, Course, QueuedJob, Seat, WorkerRole } from "./vocabulary.ts";

/** Between two moves from or to one job. */
const moveMs = 5_000;
/** Another must have had clearly more than its share for so long, before one of its workers moves. */
const uneasyMs = 10_000;
/** Ends of two jobs as far apart as this, even after the move, are worth it. */
const clearly = 1.25;
/** Share of their time that students wait: over the first a teacher is wanted, under the second one can be spared. */
const [starvedShare, idleShare] = [0.3, 0.05];

/** A running job while workers are dealt out. */
export interface Party {
  readonly job: QueuedJob;
  readonly course: Course | undefined;
  readonly need: Count;
  readonly most: Count;
  /** Those that stay. */
  seats: Seat[];
  have: Have;
}

export interface Move {
  readonly seat: Seat;
  readonly job: string;
  readonly why: string;
}

/** It refused the worker in this life. */
export type Refuses = (job: string, worker: string) => boolean;

export function party(job: QueuedJob, course: Course | undefined, seats: readonly Seat[]): Party {
  return { job, course, need: fewest(job), most: most(job, course), seats: [...seats], have: haveOf(seats) };
}

/** Gives free workers to jobs that have their fewest, as long as one could use them. */
export function dealOut(parties: readonly Party[], free: readonly Seat[], refuses: Refuses): Move[] {
  const moves: Move[] = [];
  const sated = new Set<WorkerRole>();
  for (const seat of free) {
    if (sated.has(seat.role)) continue;
    const hungry = parties.filter(({ have, most }) => couldUse(have, seat.role, most));
    if (hungry.length === 0) sated.add(seat.role);
    const open = hungry.filter(({ job }) => !refuses(job.id, seat.worker));
    if (open.length === 0) continue;
    const next = open.reduce((best, other) => (comesFirst(other, best, seat.role) ? other : best));
    next.seats.push(seat);
    next.have = changed(next.have, seat.role, 1);
    moves.push({ seat, job: next.job.id, why: `${next.job.id} can use it` });
  }
  return moves;
}

function comesFirst(one: Party, other: Party, role: WorkerRole): boolean {
  if (one.job.priority !== other.job.priority) return one.job.priority > other.job.priority;
  const [mine, its] = [needOf(one, role), needOf(other, role)];
  if (mine !== its) return mine > its;
  const students = studentsOf(one.have, one.need) - studentsOf(other.have, other.need);
  return students === 0 ? one.job.turn < other.job.turn : students < 0;
}

function needOf(each: Party, role: WorkerRole): number {
  return role === "teacher" ? (each.course?.measured?.waitedShare ?? 0) : secondsLeft(each);
}

/** To its end, with the students it has now; without end where it is not known, as of one that has just begun. */
function secondsLeft({ course, have, need }: Party, more = 0): number {
  const { remainingSeconds = null, students = 0 } = course?.measured ?? {};
  if (remainingSeconds === null) return Number.POSITIVE_INFINITY;
  return (remainingSeconds * Math.max(1, students)) / Math.max(1, studentsOf(have, need) + more);
}

export interface Evened {
  /** `job` is the one that loses the worker. */
  readonly takes: readonly (Move & { readonly to: string })[];
  /** By job: since when another has had clearly more than its share. */
  readonly uneasy: ReadonlyMap<string, number>;
}

/** At most one move of each job: to one of higher priority, or to one of its own that has been worse off for a while. */
export function even(parties: readonly Party[], refuses: Refuses, atMs: number): Evened {
  const takes: (Move & { readonly to: string })[] = [];
  const uneasy = new Map<string, number>();
  const moved = new Set(parties.filter(({ course }) => atMs - (course?.movedMs ?? -moveMs) < moveMs));
  const givers = parties.filter(({ have, need, seats }) =>
    seats.some(({ role }) => meets(changed(have, role, -1), need)),
  );
  if (givers.length === 0) return { takes, uneasy };
  const byPriority = [...parties].sort((one, other) => other.job.priority - one.job.priority);
  for (const taker of byPriority) {
    let best: { giver: Party; seat: Seat; gain: number } | null = null;
    for (const giver of givers) {
      if (giver === taker || moved.has(giver)) continue;
      const seat = spareFor(giver, taker, refuses);
      const gain = seat ? gainOf(giver, taker, seat.role) : 0;
      if (seat && gain > (best?.gain ?? 0)) best = { giver, seat, gain };
    }
    if (!best) continue;
    const { giver, seat } = best;
    const isEqual = giver.job.priority === taker.job.priority && !isUseless(giver, seat.role);
    const sinceMs = taker.course?.uneasySinceMs ?? atMs;
    if (isEqual) uneasy.set(taker.job.id, sinceMs);
    if (moved.has(taker) || (isEqual && atMs - sinceMs < uneasyMs)) continue;
    moved.add(giver).add(taker);
    takes.push({ seat, job: giver.job.id, to: taker.job.id, why: `${taker.job.id} ${whyIt(giver, taker, seat.role)}` });
  }
  return { takes, uneasy };
}

/** The one that came last of those that the giver can spare and the taker could use. */
function spareFor({ seats, have, need }: Party, taker: Party, refuses: Refuses): Seat | undefined {
  return seats.findLast(
    ({ role, worker }) =>
      meets(changed(have, role, -1), need) && couldUse(taker.have, role, taker.most) && !refuses(taker.job.id, worker),
  );
}

/** What it is worth to move one; 0 where it is not. Higher priority and what lies idle come first. */
function gainOf(giver: Party, taker: Party, role: WorkerRole): number {
  if (isUseless(giver, role)) return Number.POSITIVE_INFINITY;
  if (giver.job.priority !== taker.job.priority) return Math.max(0, taker.job.priority - giver.job.priority) * 1e12;
  if (role === "teacher") {
    const [waits, gives] = [taker, giver].map(({ course }) => course?.measured?.waitedShare ?? null);
    return waits! > starvedShare && gives !== null && gives! < idleShare ? waits! : 0;
  }
  const [now, then] = [secondsLeft(taker), secondsLeft(giver, -1)];
  if (!Number.isFinite(now) || !Number.isFinite(then)) return 0;
  return now > clearly * then ? now - then : 0;
}

/** The job has more of them than it could use. */
function isUseless({ have, most }: Party, role: WorkerRole): boolean {
  return !couldUse(changed(have, role, -1), role, most);
}

function whyIt(giver: Party, taker: Party, role: WorkerRole): string {
  if (isUseless(giver, role)) return `can use it, and ${giver.job.id} cannot`;
  if (giver.job.priority !== taker.job.priority) return `has priority ${taker.job.priority} and can use it`;
  if (role === "teacher") return "waits for teachers";
  return `would end ${Math.round(secondsLeft(taker) - secondsLeft(giver))} s after ${giver.job.id}`;
}
