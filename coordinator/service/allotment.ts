/**
 * Who works for whom. Pure and deterministic: what should be is found anew from what there is, so nothing is promised
 * that a dead worker could break. Priority and turn decide who runs (claims.ts), need who gets more (surplus.ts).
 */
import { type Claims, claim } from "./claims.ts";
import { changed, countText, fewest, haveOf, haveText, meets } from "./needs.ts";
import { dealOut, type Evened, even, type Move, type Party, party, type Refuses } from "./surplus.ts";
import type { Course, QueuedJob, Seat, State } from "./vocabulary.ts";

export interface Allotment {
  /** Jobs that begin now. */
  readonly starts: readonly Reason[];
  /** Free workers, to jobs that run or begin. */
  readonly gives: readonly Move[];
  /** Workers of running jobs that are needed elsewhere; `job` is the one that loses it. */
  readonly takes: readonly Move[];
  /** Jobs that give way, or cannot go on. */
  readonly stops: readonly Reason[];
  /** By session, of the free ones that nobody is given: why. */
  readonly idle: ReadonlyMap<number, string>;
  /** Of running jobs. */
  readonly courses: ReadonlyMap<string, Course>;
}

export interface Reason {
  readonly job: string;
  readonly why: string;
}

/** So long a job may run with fewer workers than it needs, before it waits for them in the queue, and holds none. */
export const shortMs = 60_000;

/** @param evens moves between running jobs are weighed too: with every tick. */
export function allot(state: State, atMs: number, { evens }: { readonly evens: boolean }): Allotment {
  const claims = claim(state, atMs);
  const courses = coursesOf(state, claims, atMs);
  if (isSettling(state, courses, atMs)) {
    const why = "the workers of running jobs are waited for after a restart";
    const idle = new Map(claims.free.map(({ session }) => [session, why]));
    return { starts: [], gives: [], takes: [], stops: [], idle, courses };
  }
  const stops = stopsOf(state, claims, { courses, atMs });
  const starts = startsOf(claims);
  const begins = new Set(starts.map(({ job }) => job));
  const refuses: Refuses = (job, worker) => state.refusals.get(worker)?.jobs.has(job) === true;

  const takes: Move[] = [];
  const parties: Party[] = [];
  const gives: Move[] = [];
  for (const job of claims.order) {
    const chosen = claims.chosen.get(job.id);
    if (!chosen) continue;
    const isRunning = job.phase.kind === "running";
    const free = chosen.filter(({ place }) => place.kind === "idle");
    if (isRunning) takes.push(...takesFrom(claims, job));
    if (!isRunning && !begins.has(job.id)) continue;
    gives.push(...free.map((seat) => ({ seat, job: job.id, why: `${job.id} needs it` })));
    const own = (claims.held.get(job.id) ?? []).filter(
      (seat) => (claims.claimedBy.get(seat.session) ?? job.id) === job.id,
    );
    parties.push(party(job, state.courses.get(job.id), [...own, ...free]));
  }
  const unclaimed = (seat: Seat) => !claims.claimedBy.has(seat.session);
  gives.push(...dealOut(parties, claims.free.filter(unclaimed), refuses));
  const idle = idleOf(claims, gives);
  const calm = evens && stops.length === 0 && !claims.coming.some(unclaimed);
  if (!evens) return { starts, gives, takes, stops, idle, courses };
  const evened = even(calm ? parties : [], refuses, atMs);
  takes.push(...evened.takes);
  return { starts, gives, takes, stops, idle, courses: withEvened(courses, evened, atMs) };
}

/** Since when they have been short of workers. */
function coursesOf({ courses }: State, { order, held }: Claims, atMs: number): Map<string, Course> {
  const next = new Map<string, Course>();
  for (const job of order) {
    if (job.phase.kind !== "running") continue;
    const course = courses.get(job.id)!;
    const isShort = !meets(haveOf(held.get(job.id) ?? []), fewest(job));
    const shortSinceMs = isShort ? (course.shortSinceMs ?? atMs) : null;
    next.set(job.id, shortSinceMs === course.shortSinceMs ? course : { ...course, shortSinceMs });
  }
  return next;
}

/** A term's members come back one by one: until they have, nobody is moved for want of them. */
function isSettling({ settlesMs }: State, courses: ReadonlyMap<string, Course>, atMs: number): boolean {
  return atMs < settlesMs && [...courses.values()].some(({ shortSinceMs }) => shortSinceMs !== null);
}

function startsOf({ order, chosen }: Claims): Reason[] {
  return order.flatMap((job) => {
    const seats = chosen.get(job.id);
    if (job.phase.kind !== "queued" || !seats?.every(({ place }) => place.kind === "idle")) return [];
    return [{ job: job.id, why: `${countText(fewest(job))} are there for it` }];
  });
}

function stopsOf(
  state: State,
  { order, held, claimedBy, lacks }: Claims,
  { courses, atMs }: { readonly courses: ReadonlyMap<string, Course>; readonly atMs: number },
): Reason[] {
  return order.flatMap((job): Reason[] => {
    if (job.phase.kind !== "running" || !lacks.has(job.id)) return [];
    const own = held.get(job.id) ?? [];
    const claimants = own
      .map(({ session }) => claimedBy.get(session))
      .filter((by) => by !== undefined && by !== job.id);
    if (claimants.length > 0) {
      const { id, priority } = state.jobs.get(claimants[0]!)!;
      const isShort = !meets(haveOf(own), fewest(job));
      const right = priority > job.priority ? `has priority ${priority} (it has ${job.priority})` : "came before it";
      const why = isShort ? "it lacks workers, and" : "it gives way:";
      const needs = isShort ? "needs those it has" : `${right} and needs its workers`;
      return [{ job: job.id, why: `${why} ${id} ${needs}` }];
    }
    const sinceMs = courses.get(job.id)?.shortSinceMs ?? null;
    // One that refuses its workers would do so again: it stays, and ends by its own deadlines.
    if (sinceMs === null || atMs - sinceMs < shortMs || hasRefused(state, job.id)) return [];
    const why = `for ${shortMs / 1000} s it has had too few workers: it needs ${countText(fewest(job))}, and has ${haveText(haveOf(own))}`;
    return [{ job: job.id, why }];
  });
}

function hasRefused({ refusals }: State, job: string): boolean {
  return [...refusals.values()].some(({ jobs }) => jobs.has(job));
}

/** What a running job has that others claim; it keeps its fewest until it is given others for them. */
function takesFrom({ held, claimedBy }: Claims, job: QueuedJob): Move[] {
  const seats = held.get(job.id) ?? [];
  let have = haveOf(seats);
  const takes: Move[] = [];
  for (const seat of seats) {
    const by = claimedBy.get(seat.session) ?? job.id;
    const without = changed(have, seat.role, -1);
    if (by === job.id || !meets(without, fewest(job))) continue;
    have = without;
    takes.push({ seat, job: job.id, why: `${by} needs it` });
  }
  return takes;
}

function idleOf({ order, free, claimedBy, chosen }: Claims, gives: readonly Move[]): Map<number, string> {
  const given = new Set(gives.map(({ seat }) => seat));
  const waits = order.some(({ id, phase }) => phase.kind === "queued" && !chosen.has(id));
  const none = waits ? "the jobs that wait need more workers than are free" : "no job waits for a worker";
  const idle = new Map<number, string>();
  for (const seat of free) {
    const by = claimedBy.get(seat.session);
    if (!given.has(seat)) idle.set(seat.session, by ? `it is kept for ${by}, which waits for others, too` : none);
  }
  return idle;
}

function withEvened(courses: Map<string, Course>, { takes, uneasy }: Evened, atMs: number): Map<string, Course> {
  const moved = new Set(takes.flatMap(({ job, to }) => [job, to]));
  for (const [id, course] of courses) {
    const uneasySinceMs = moved.has(id) ? null : (uneasy.get(id) ?? null);
    const movedMs = moved.has(id) ? atMs : course.movedMs;
    if (uneasySinceMs === course.uneasySinceMs && movedMs === course.movedMs) continue;
    courses.set(id, { ...course, uneasySinceMs, movedMs });
  }
  return courses;
}
