/** A worker's control: what it does, and what it does not do, about orders and about what becomes of its work. */
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  type Assigned,
  type Beginning,
  isMember,
  newParticipant,
  type Participant,
  type ParticipantEffect,
  type ParticipantEvent,
  participate,
} from "../../core/participant.ts";

type Event = ParticipantEvent<Assigned>;
type Effect = ParticipantEffect<Assigned>;

const assigned = (term: number, more: Partial<Assigned> = {}): Event => ({
  kind: "assigned",
  assigned: { term, planned: false, member: true, ...more },
});
const beginning = (term: number, step: number, more: Partial<Beginning> = {}): Beginning => ({
  ...{ term, step, sources: ["w2"], sumSources: [], evaluate: false, teacherEngine: "e", uncacheable: "" },
  ...more,
});
const begun = (term: number, target: number, step: number, more: Partial<Beginning> = {}): Event => ({
  kind: "begun",
  beginning: beginning(term, target, more),
  step,
});

/** Lives through the events; gives where it stands and the effects of the last one. */
function live(...events: Event[]): [Participant<Assigned>, Effect[]] {
  let state: Participant<Assigned> = newParticipant;
  let effects: Effect[] = [];
  for (const event of events) [state, ...effects] = participate(state, event);
  return [state, effects];
}

const training = [assigned(1), { kind: "prepared", term: 1 }, begun(1, 0, 0)] as const;

test("a term is prepared, begun and trained", () => {
  assert.deepEqual(
    live(assigned(1))[1].map(({ kind }) => kind),
    ["prepare"],
  );
  assert.equal(live(...training.slice(0, 2))[0].work.kind, "ready");
  assert.deepEqual(live(...training)[1], [{ kind: "train", beginning: beginning(1, 0) }]);
});

test("orders and outcomes of older terms have no effect (L3)", () => {
  const [state] = live(...training, assigned(3), { kind: "stopped" });
  const stale: Event[] = [
    assigned(2),
    assigned(3),
    begun(1, 5, 5),
    { kind: "paused", term: 2, why: "" },
    { kind: "told-to-follow", term: 2 },
    { kind: "prepared", term: 1 },
    { kind: "finished", term: 1 },
    { kind: "troubled", term: 1, trouble: { code: "internal", message: "" } },
  ];
  for (const event of stale) assert.deepEqual(participate(state, event), [state], event.kind);
});

test("who is a step behind takes the sum where one holds it, else the state", () => {
  const ready = training.slice(0, 2);
  const how = (event: Event) => {
    const [effect] = live(...ready, event)[1];
    return effect?.kind === "catch-up" ? `${effect.how.kind} from ${effect.how.from}` : effect?.kind;
  };
  assert.equal(how(begun(1, 7, 7)), "train");
  assert.equal(how(begun(1, 7, 6, { sumSources: ["w3"] })), "sum from w3");
  assert.equal(how(begun(1, 7, 6)), "state from w2");
  assert.equal(how(begun(1, 7, 5, { sumSources: ["w3"] })), "state from w2");
});

test("work is stopped before the next term is laid out, and only the latest counts", () => {
  const planned = live(...training, assigned(2, { planned: true }));
  assert.deepEqual(planned[1], [{ kind: "stop", planned: true, why: "term 2 has begun" }]);
  const [, urgent] = live(...training, assigned(2, { planned: true }), assigned(3));
  assert.deepEqual(urgent, [{ kind: "stop", planned: false, why: "term 3 has begun" }]);
  const [, next] = live(...training, assigned(2, { planned: true }), assigned(3), { kind: "stopped" });
  assert.deepEqual(next, [{ kind: "prepare", assigned: { term: 3, planned: false, member: true } }]);
});

test("another's failure stalls it and is told; its own fails it", () => {
  const trouble = (code: "timeout" | "stale_term" | "unavailable" | "lost_worker", about?: string): Event => ({
    ...{ kind: "troubled", term: 1 },
    trouble: { code, message: "why", ...(about === undefined ? {} : { about }) },
  });
  const [stalled, told] = live(...training, trouble("timeout", "w2"));
  assert.equal(stalled.work.kind, "stalled");
  assert.deepEqual(told, [{ kind: "suspect", worker: "w2", why: "why" }]);
  assert.deepEqual(live(...training, trouble("stale_term"))[1], []);
  assert.deepEqual(live(...training, trouble("lost_worker"))[1], []);
  // A full disk is "unavailable", too, and stays full in another term.
  assert.deepEqual(
    live(...training, trouble("unavailable"))[1].map(({ kind }) => kind),
    ["fail"],
  );
  assert.deepEqual(live(...training, assigned(2), trouble("timeout", "w2"))[1], [], "it ends anyway");
  assert.deepEqual(
    live(...training, trouble("timeout", "w2"), assigned(2))[1].map(({ kind }) => kind),
    ["prepare"],
  );
});

test("one that stands by follows, again where it is told again, until it has a place", () => {
  const standby = [assigned(1, { member: false })];
  assert.deepEqual(
    live(...standby)[1].map(({ kind }) => kind),
    ["stand-by"],
  );
  const follow: Event = { kind: "told-to-follow", term: 1 };
  const [following, effects] = live(...standby, follow);
  assert.deepEqual(effects, [{ kind: "follow" }]);
  assert.equal(isMember(following), false);
  const again: Event[] = [...standby, follow, assigned(2, { member: false }), { kind: "told-to-follow", term: 2 }];
  assert.deepEqual(live(...again, { kind: "stopped" })[1], [{ kind: "follow" }]);
  assert.deepEqual(live(...again, assigned(3), { kind: "told-to-follow", term: 3 })[1], [], "it has a place now");
  const lost: Event = { kind: "troubled", term: 1, trouble: { code: "timeout", message: "", about: "w1" } };
  assert.equal(live(...standby, follow, lost)[0].work.kind, "none");
});

test("a fenced one forgets its replica when nothing works on it any more, and takes the next term from the start", () => {
  const fenced: Event = { kind: "fenced", why: "it was silent" };
  const [state, effects] = live(...training, fenced);
  assert.equal(state.term, 0);
  assert.deepEqual(
    effects.map(({ kind }) => kind),
    ["stop"],
  );
  assert.deepEqual(
    live(...training, fenced, assigned(1), { kind: "stopped" })[1].map(({ kind }) => kind),
    ["forget", "prepare"],
  );
  assert.deepEqual(live(...training.slice(0, 2), fenced)[1], [{ kind: "forget", why: "it was silent" }]);
});

test("a pause keeps the replica; the stage that is done is exported once", () => {
  const paused: Event = { kind: "paused", term: 1, why: "too few students" };
  assert.equal(live(...training, paused, { kind: "stopped" })[0].work.kind, "none");
  const done: Event[] = [...training, { kind: "finished", term: 1 }, { kind: "told-to-export", term: 1 }];
  assert.deepEqual(live(...done)[1], [{ kind: "export" }]);
  assert.deepEqual(live(...done, { kind: "told-to-export", term: 1 })[1], []);
  assert.equal(live(...done, { kind: "exported", term: 1 })[0].work.kind, "finished");
});
