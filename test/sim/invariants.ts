/** What must hold at every moment, checked where it could break. */
import type { JournalRecord } from "../../coordinator/journalrecord.ts";
import type { Event, Next, Plan, State } from "../../coordinator/state.ts";
import { waitOf } from "../../coordinator/waiting.ts";
import type { ConsumptionTotals } from "../../core/consumption.ts";
import { eventOf } from "../../core/eventline.ts";
import type { ProgressEvent } from "../../core/events.ts";
import { stepShare } from "../../core/ledger.ts";
import type { ToWorker } from "../../proto/gen/limbeck/v1/ToWorker.ts";
import { decisionToldBy } from "../decisions.ts";
import type { Act } from "../history.ts";
import type { Oracle } from "./oracle.ts";
import type { Wanted } from "./publications.ts";
import type { Replica } from "./replica.ts";
import type { WorkerProcess } from "./worker.ts";

export class Violation extends Error {}

/** Why a term is opened in which all go back to a checkpoint. */
const rollsBack = /^the replicas differ/;

/** Messages that count whatever their term. */
const termless: readonly string[] = ["hello", "heartbeat", "prepared", "failed", "leaving", "corrupted"];

export class Invariants {
  /** The first. */
  violation: Violation | null = null;
  terms = 0;
  roleChanges = 0;
  /** Whose bits were flipped, until all have gone back. */
  flipped: string | null = null;
  /** It left before the replicas were compared, or all others did: what it gave to the sums is found by nobody. */
  hasEscaped = false;
  /** The last checkpoint that was announced and not gone back behind. */
  #newest = -1;
  #stage = "";
  readonly #oracle: Oracle;
  readonly #history: Act[];
  readonly #seen: number[] = [0];

  constructor(oracle: Oracle, history: Act[]) {
    this.#oracle = oracle;
    this.#history = history;
    const steps = Math.max(...oracle.stages.map((stage) => stage.steps));
    for (let step = 0; step < steps; step++)
      this.#seen.push(this.#seen[step]! + stepShare(oracle.ledger, step).examples);
  }

  /** A replica has changed. */
  updated(name: string, replica: Replica): void {
    const { stage, step, weights, isTainted, consumption, skips } = replica;
    const where = `${name} at step ${step} of ${this.#oracle.stages[stage]!.stage}`;
    if (!isTainted && weights !== this.#oracle.weights[stage]![step]) {
      this.#violated("L1", `${where} has the weights ${weights}, not ${this.#oracle.weights[stage]![step]}`);
    }
    const { seen, duplicated, missing } = consumption.totals;
    if (duplicated !== 0 || missing !== 0 || seen !== this.#seen[step]) {
      this.#violated("L2", `${where} consumed ${seen} of ${this.#seen[step]}, ${duplicated} twice, ${missing} never`);
    }
    const skipped = [...this.#oracle.skips[stage]!].filter((each) => each < step).length;
    if (skips.total !== skipped) this.#violated("L1", `${where} skipped ${skips.total} steps, not ${skipped}`);
  }

  stageEnded(name: string, { stage, step }: Replica, { seen, duplicated, missing }: ConsumptionTotals): void {
    if (seen === this.#seen[step] && duplicated === 0 && missing === 0) return;
    const { stage: called } = this.#oracle.stages[stage]!;
    this.#violated("L2", `${name} ended ${called} with ${seen} seen, ${duplicated} duplicated, ${missing} missing`);
  }

  finished({ stage, weightsSha256 }: JournalRecord & { kind: "finished" }): void {
    const at = this.#oracle.indexOf(stage);
    const expected = this.#oracle.digestOf(at, this.#oracle.weights[at]!.at(-1)!);
    if (weightsSha256 !== expected && !this.hasEscaped)
      this.#violated("L1", `${stage} ended with ${weightsSha256}, not ${expected}`);
  }

  exported(name: string, stage: string, weights: number | undefined): void {
    if (this.hasEscaped || weights === this.#oracle.weights[this.#oracle.indexOf(stage)]!.at(-1)) return;
    this.#violated("L1", `${name} exported other weights of ${stage} than were agreed on`);
  }

  /** A payload was used by who had asked for it. */
  used(
    name: string,
    payload: { readonly term: number; readonly kind: string; readonly step: number },
    wanted: Wanted,
  ): void {
    if (payload.term === wanted.term) return;
    this.#violated(
      "L3",
      `${name} used ${payload.kind} of step ${payload.step} of term ${payload.term} in term ${wanted.term}`,
    );
  }

  usedSoftTargets(reply: { term: number; step: number; lane: number; view: number }, asked: typeof reply): void {
    if (reply.term !== asked.term) {
      this.#violated("L3", `soft targets of term ${reply.term} were used in term ${asked.term}`);
    }
    if (reply.step === asked.step && reply.lane === asked.lane && reply.view === asked.view) return;
    this.#violated("L6", `soft targets of step ${reply.step}, lane ${reply.lane} were used for another key`);
  }

  /** The coordinator has decided. */
  decided(plan: Plan, before: State, event: Event, [after, ...effects]: Next): void {
    if (before.kind === "ended") return;
    if (event.kind === "message" && !termless.includes(event.message.kind) && event.message.term !== before.term) {
      if (effects.length > 0 || !isSame(before, after)) {
        this.#violated(
          "L3",
          `the coordinator in term ${before.term} heard ${event.message.kind} of term ${event.message.term}`,
        );
      }
    }
    if (event.kind !== "tick" || after.kind === "ended" || after.kind === "ending" || before.kind === "ending") return;
    const wait = waitOf(plan, after);
    if (wait.why === "" || wait.for.length === 0)
      this.#violated("L7", `the coordinator waits in ${after.kind} for nothing`);
    // Time that a pause of its own took is nobody's silence, nor is what it has just been told.
    if (event.atMs - before.tickedMs > plan.patience.silenceMs / 2 || event.atMs <= before.tickedMs) return;
    for (const { name, heardMs, prepared } of after.workers) {
      const silentMs = event.atMs - heardMs;
      // Nobody waits for who is not prepared.
      if (prepared && silentMs > plan.patience.silenceMs + 1_000)
        this.#violated("L7", `${name} is silent for ${silentMs} ms, and still counts`);
    }
  }

  announced(event: ProgressEvent): void {
    // What the coordinator's next life would pass over never happened to it.
    if (eventOf(JSON.stringify(event)) === null) this.#violated("events", `${event.kind} is not read back`);
    if (event.kind === "role-changed") this.roleChanges += 1;
    if (event.kind !== "term-opened") return;
    this.terms += 1;
    if (rollsBack.test(event.why)) this.flipped = null;
    else if (this.flipped && isBeyondComparison(this.flipped, event.deal)) this.hasEscaped = true;
  }

  /** A checkpoint is announced once, however often its worker tells it and the coordinator dies. */
  toldOnce(event: ProgressEvent): void {
    if (event.kind === "term-begun") this.#newest = Math.min(this.#newest, event.step - 1);
    if (event.kind !== "checkpointed") return;
    const { stage, step } = event;
    const newest = stage === this.#stage ? this.#newest : -1;
    if (step <= newest)
      this.#violated("events", `a checkpoint at step ${step} of ${stage} was announced after ${newest}`);
    this.#stage = stage;
    this.#newest = step;
  }

  /** A worker does as it is told; where there is but one coordinator, none has a fence. */
  heard({ life, nowMs }: WorkerProcess, message: ToWorker): void {
    const fence = Number(message.fence ?? 0);
    if (fence === 0) return;
    const decision = decisionToldBy(message);
    this.#history.push({ kind: "heard", worker: life.name, fence, atMs: nowMs, decision });
  }

  waits(worker: WorkerProcess): void {
    if (worker.reason !== "") return;
    this.#violated("L7", `${worker.name} waits in ${worker.state.work.kind} without a reason`);
  }

  #violated(invariant: string, what: string): never {
    this.violation ??= new Violation(`${invariant}: ${what}`);
    throw this.violation;
  }
}

/** But for when the sender was last heard. */
function isSame(before: State, after: State): boolean {
  if (before.kind === "ended" || after.kind !== before.kind) return false;
  const { workers: oldWorkers, ...old } = before;
  const { workers: newWorkers, ...now } = after;
  for (const [key, value] of Object.entries(old)) if (now[key as keyof typeof now] !== value) return false;
  return (
    oldWorkers.length === newWorkers.length &&
    oldWorkers.every((worker, at) => {
      const { heardMs: _, ...rest } = worker;
      return Object.entries(rest).every(([key, value]) => newWorkers[at]![key as keyof typeof rest] === value);
    })
  );
}

/** It trains no more, or alone: the other students have become teachers. */
function isBeyondComparison(flipped: string, deal: readonly { readonly worker: string }[]): boolean {
  return deal.length === 1 || !deal.some(({ worker }) => worker === flipped);
}
