/**
 * Which jobs run, and with whom at the least: by priority, then by turn, each claims its fewest workers from what those
 * before it left. So a small job may pass a big one that cannot start, and gives way again when it can; and nobody's
 * turn is taken by one that came later.
 */
import { choose, fewest, type Have, haveOf, meets } from "./needs.ts";
import type { QueuedJob, Seat, State } from "./vocabulary.ts";

/** So long a running job keeps its workers, and those of its priority theirs, when some of its own have died. */
export const graceMs = 10_000;

/** What a job that could not claim its fewest found, with all that may be taken for it. */
export interface Lack {
  readonly left: Have;
  /** Left of these, but not of use: it refused them. */
  readonly refused: number;
}

export interface Claims {
  /** Jobs that are queued or run, by priority and turn. */
  readonly order: readonly QueuedJob[];
  /** Workers of running jobs, those that were told to go left out. */
  readonly held: ReadonlyMap<string, readonly Seat[]>;
  readonly free: readonly Seat[];
  /** Not free yet: their jobs let them go, or end. */
  readonly coming: readonly Seat[];
  /** By session: the job that claims it for its fewest. */
  readonly claimedBy: ReadonlyMap<number, string>;
  /** By job: its fewest. */
  readonly chosen: ReadonlyMap<string, readonly Seat[]>;
  /** By job: those that have nothing chosen. */
  readonly lacks: ReadonlyMap<string, Lack>;
}

interface Board extends Claims {
  readonly state: State;
  readonly atMs: number;
  readonly claimedBy: Map<number, string>;
  readonly chosen: Map<string, readonly Seat[]>;
  readonly lacks: Map<string, Lack>;
  /** Place of the job in the order that claims now. */
  at: number;
  /** Nobody's claim yet. */
  left: Have;
}

export function claim(state: State, atMs: number): Claims {
  const order = [...state.jobs.values()]
    .filter(({ phase }) => phase.kind === "queued" || phase.kind === "running")
    .sort((one, other) => other.priority - one.priority || one.turn - other.turn);
  const board: Board = {
    ...seated(state),
    ...{ state, atMs, order, claimedBy: new Map(), chosen: new Map(), lacks: new Map() },
    ...{ at: 0, left: haveOf(state.seats.values()) },
  };
  for (const job of order) {
    claimFor(board, job);
    board.at++;
  }
  return board;
}

function seated({ jobs, seats }: State): Pick<Claims, "held" | "free" | "coming"> {
  const held = new Map<string, Seat[]>();
  const free: Seat[] = [];
  const coming: Seat[] = [];
  for (const seat of [...seats.values()].sort(fixedFirst)) {
    const { place } = seat;
    if (place.kind === "idle") free.push(seat);
    else if (place.kind !== "working" || jobs.get(place.job)?.phase.kind !== "running") coming.push(seat);
    else if (held.has(place.job)) held.get(place.job)!.push(seat);
    else held.set(place.job, [seat]);
  }
  return { held, free, coming };
}

/** Those of any role are kept for what only they can do; of equals the one stays that was there first. */
function fixedFirst(one: Seat, other: Seat): number {
  const auto = Number(one.role === "auto") - Number(other.role === "auto");
  return auto || one.sinceMs - other.sinceMs || one.session - other.session;
}

function claimFor(board: Board, job: QueuedJob): void {
  const need = fewest(job);
  // All that is left would not do; with a long queue the usual case.
  let lack: Lack = { left: board.left, refused: 0 };
  if (meets(board.left, need)) {
    const open: Seat[] = [];
    for (const more of candidates(board, job)) {
      open.push(...more.filter((seat) => isOpen(board, job, seat)));
      const seats = choose(open, need);
      if (!seats) continue;
      board.chosen.set(job.id, seats);
      take(board, job, seats);
      return;
    }
    lack = { left: haveOf(open), refused: refusedOf(board, job) };
  }
  board.lacks.set(job.id, lack);
  const own = board.held.get(job.id) ?? [];
  const isWhole = own.every(({ session }) => !board.claimedBy.has(session));
  if (isWhole && isInGrace(board, job)) take(board, job, own);
}

function take(board: Board, { id }: QueuedJob, seats: readonly Seat[]): void {
  const left = { ...board.left };
  for (const { session, role } of seats) {
    board.claimedBy.set(session, id);
    left[role]--;
  }
  board.left = left;
}

/** Whom a job may claim: those that cost least first. */
function* candidates(board: Board, job: QueuedJob): Generator<readonly Seat[]> {
  const { order, at, held, free, coming, lacks } = board;
  yield held.get(job.id) ?? [];
  yield free;
  yield coming;
  const spare = spares(board, job);
  yield spare;
  const spared = new Set(spare);
  const stuck = order.slice(0, at).filter(({ id }) => lacks.has(id));
  const later = order.slice(at + 1).filter((other) => givesWay(board, other, job));
  for (const victim of [...stuck, ...later.reverse()]) {
    yield (held.get(victim.id) ?? []).filter((seat) => !spared.has(seat));
  }
}

/** One that comes later gives way; not at once to one of its priority that runs and has lost workers. */
function givesWay(board: Board, { priority }: QueuedJob, job: QueuedJob): boolean {
  return priority < job.priority || !isInGrace(board, job);
}

/** It runs, and workers of its own have gone just now. */
function isInGrace({ state, atMs, held }: Board, job: QueuedJob): boolean {
  if (job.phase.kind !== "running" || meets(haveOf(held.get(job.id) ?? []), fewest(job))) return false;
  const since = state.courses.get(job.id)?.shortSinceMs ?? null;
  return since === null || atMs - since < graceMs;
}

/** What running jobs have above their fewest: of lower priority first, then from the one that has most. */
function spares({ order, at, held, claimedBy, chosen }: Board, job: QueuedJob): Seat[] {
  const all = order.flatMap((other, place) => {
    const seats = other.id === job.id ? [] : (held.get(other.id) ?? []).filter((seat) => !claimedBy.has(seat.session));
    const need = fewest(other);
    const mine = place > at ? new Set(choose(seats, need)) : new Set<Seat>();
    // One that comes later and is short has nothing to spare; it may give way as a whole.
    const isShort = place > at ? mine.size === 0 : !chosen.has(other.id);
    const over = isShort ? [] : seats.filter((seat) => !mine.has(seat));
    return over.map((seat, height) => ({ seat, height, priority: other.priority, place }));
  });
  return all
    .sort((one, other) => one.priority - other.priority || other.height - one.height || other.place - one.place)
    .map(({ seat }) => seat);
}

function isOpen({ state, claimedBy }: Board, { id }: QueuedJob, { session, worker }: Seat): boolean {
  if (claimedBy.has(session)) return false;
  return state.refusals.size === 0 || !state.refusals.get(worker)?.jobs.has(id);
}

function refusedOf({ state, claimedBy }: Board, { id }: QueuedJob): number {
  let refused = 0;
  for (const { session, worker } of state.seats.values()) {
    if (!claimedBy.has(session) && state.refusals.get(worker)?.jobs.has(id)) refused++;
  }
  return refused;
}
