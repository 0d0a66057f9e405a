/**
 * Bugs, one or two per invariant, and of what several coordinators agree by, wrapped around the real code: the simulation
 * must find each within so many seeds.
 */
import type { Event, Plan, State } from "../../coordinator/state.ts";
import { step } from "../../coordinator/step.ts";
import { type Assigned, type Participant, type ParticipantEvent, participate } from "../../core/participant.ts";
import type { FaultKind } from "./faults.ts";
import type { Code } from "./world.ts";

export interface Mutation {
  readonly bug: string;
  /** What the failure must say. */
  readonly caught: RegExp;
  readonly within: number;
  readonly code: Partial<Code>;
  /** Of clusters with several coordinators, to which only this happens. */
  readonly several?: readonly FaultKind[];
}

export const mutations: readonly Mutation[] = [
  {
    bug: "L1: sums are taken in the order of the deal",
    caught: /^L1/,
    within: 10,
    code: {
      additions: (nodes) => nodes.slice(1).map((_, at) => ({ into: 0, from: at + 1 })),
    },
  },
  {
    bug: "L1: whoever is behind counts the step as done, without its sum",
    caught: /^L1/,
    within: 40,
    code: {
      takeSum(replica, _, ids) {
        replica.step += 1;
        replica.consumption.consume(ids);
      },
    },
  },
  {
    bug: "L2: a step that is done again consumes again",
    caught: /^L2/,
    within: 20,
    code: {
      consume(consumption, ids, { isRedone }) {
        consumption.consume(ids);
        if (isRedone) consumption.consume(ids);
      },
    },
  },
  {
    bug: "L2: an update forgets what it consumed",
    caught: /^L2/,
    within: 10,
    code: {
      consume(consumption, ids, { step: at }) {
        if (at % 5 !== 4) consumption.consume(ids);
      },
    },
  },
  {
    bug: "L3: publications are served whatever the term",
    caught: /^L3/,
    within: 40,
    code: { isOfTerm: () => "current" },
  },
  {
    bug: "L3: the coordinator hears messages of other terms",
    caught: /^L3/,
    within: 60,
    code: {
      step(plan: Plan, state: State, event: Event) {
        const isMessage = event.kind === "message" && event.message.kind !== "hello" && "term" in state;
        const heard = isMessage ? { ...event, message: { ...event.message, term: state.term } } : event;
        return step(plan, state, heard as Event);
      },
    },
  },
  {
    bug: "L7: a worker whose peer fails stalls without telling",
    caught: /^L7/,
    within: 200,
    code: {
      participate<A extends Assigned>(state: Participant<A>, event: ParticipantEvent<A>) {
        const [next, ...effects] = participate(state, event);
        return [next, ...effects.filter(({ kind }) => kind !== "suspect")] as const;
      },
    },
  },
  {
    bug: "L7: no teacher is called back when the cache was not warm after all",
    caught: /^L7/,
    within: 100,
    code: {
      step(plan: Plan, state: State, event: Event) {
        const isBeat = event.kind === "message" && event.message.kind === "heartbeat";
        const heard = isBeat ? { ...event, message: { ...event.message, needsTeacher: false } } : event;
        return step(plan, state, heard as Event);
      },
    },
  },
  {
    bug: "L7: the coordinator never takes silence for death",
    caught: /^L7/,
    within: 40,
    code: {
      step(plan: Plan, state: State, event: Event) {
        const patience = { ...plan.patience, silenceMs: Number.POSITIVE_INFINITY };
        return step(event.kind === "tick" ? { ...plan, patience } : plan, state, event);
      },
    },
  },
  {
    bug: "lease: renewed without compare-and-set",
    caught: /^history: (two may decide at once|fence)/,
    within: 40,
    several: ["leader paused", "leader suspended"],
    // Who takes it compares, who has had it does not.
    code: { isExpected: ({ revision }, expected, { isRenewal }) => isRenewal || revision === expected },
  },
  {
    bug: "lease: a leader decides after its time",
    caught: /^history: .* when it might not/,
    within: 20,
    several: ["leader paused", "NATS away", "NATS away from one"],
    code: { holds: (lease) => lease.kind === "leading" },
  },
  {
    bug: "journal: opened without fencing",
    caught: /^history: .* went on without entry/,
    within: 20,
    several: ["leader suspended"],
    code: { isFenced: false },
  },
  {
    bug: "journal: what became of an append is not known, and it is appended again",
    caught: /^history: written twice/,
    within: 20,
    several: ["NATS unreliable", "NATS away from one"],
    code: { written: () => undefined },
  },
  {
    bug: "L3: a worker obeys a leader that has been replaced",
    caught: /^history: .* obeyed leader/,
    within: 200,
    several: ["leader wakes as its successor dies"],
    code: { isHeeded: () => true },
  },
];
