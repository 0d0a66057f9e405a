/** The queue and its workers, in histories that nobody chose. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { idOf } from "../../../coordinator/service/naming.ts";
import { couldUse, fewest, haveOf, meets, most } from "../../../coordinator/service/needs.ts";
import { decide, keptJobs } from "../../../coordinator/service/queue.ts";
import { replay, snapshot } from "../../../coordinator/service/records.ts";
import type {
  Effect,
  Event,
  QueuedJob,
  Seat,
  State,
  Submission,
  WorkerRole,
} from "../../../coordinator/service/vocabulary.ts";
import { testJob } from "../jobs.ts";
import { Cluster } from "./cluster.ts";

const shapes = [
  { students: 1, teachers: 1 },
  { students: { min: 1, max: 4 }, teachers: 1 },
  { students: { min: 2, max: 3 }, teachers: 2 },
  { students: { min: 4, max: 4 }, teachers: 1, roles: "auto" },
  { students: 1, teachers: 1, roles: "auto" },
] as const;
const jobs = shapes.map((workers) => testJob({ workers }));
const roles: readonly WorkerRole[] = ["student", "teacher", "auto", "auto"];

interface Choices {
  readonly shape?: number;
  readonly priority?: number;
  readonly digest?: string;
  readonly request?: string;
}

function submission(name: string, { shape = 0, priority = 0, digest, request = "" }: Choices = {}): Submission {
  return { name, digest: digest ?? `${shape}`, priority, job: jobs[shape]!, sources: [], by: "test", request };
}

const picks = [
  ...["join", "join", "submit", "submit", "settle", "settle", "settle", "work", "work", "tick", "die"],
  ...["end", "cancel", "pause", "resume", "delete", "refuse", "report", "restart", "compact", "leave"],
] as const;
const command = fc.record({ pick: fc.constantFrom(...picks), n: fc.nat(999), m: fc.nat(999) });

/** One more thing happens, of those that can. */
function play(cluster: Cluster, { pick, n, m }: { pick: (typeof picks)[number]; n: number; m: number }): void {
  const any = <T>(all: Iterable<T>, at = n): T | undefined => {
    const each = [...all];
    return each[at % each.length];
  };
  const worker = any([...cluster.processes.values()].filter(({ session }) => session !== null));
  const job = any(cluster.state.jobs.keys());
  const loop = any([...cluster.loops].filter(([, { isStopping }]) => !isStopping));
  switch (pick) {
    case "join": {
      const name = `w${n % 10}`;
      if (!cluster.processes.has(name)) cluster.join(name, roles[m % roles.length]!);
      break;
    }
    case "submit":
      cluster.submit(submission(`job${n % 8}`, { shape: m % shapes.length, priority: (m % 3) - 1 }));
      break;
    case "settle":
      cluster.settle();
      break;
    case "work":
      cluster.tick(100);
      work(cluster);
      break;
    case "tick":
      cluster.tick((m % 12) * 1_000);
      break;
    case "die":
      if (worker) cluster.die(worker.name);
      break;
    case "leave":
      if (worker && worker.job !== "") cluster.harmed.add(worker.job);
      if (worker && worker.job !== "") cluster.release(worker.name);
      break;
    case "end": {
      // Also one that is about to stop.
      const ends = any(cluster.loops.keys());
      if (ends) cluster.end(ends, m % 2 === 0 ? "done" : "failed");
      break;
    }
    case "cancel":
    case "pause":
    case "resume":
    case "delete":
      if (job) cluster.control(job, pick);
      break;
    case "refuse":
      if (worker && worker.job !== "" && m % 4 === 0) cluster.refuse(worker.name);
      break;
    case "report": {
      if (!loop) break;
      const most = m % 3 === 0 ? { students: 1 + (m % 4), teachers: 1 + (n % 2) } : null;
      const measured = { most, students: 1 + (n % 3), remainingSeconds: m, waitedShare: (n % 100) / 100 };
      cluster.happen({ kind: "jobReported", job: loop[0], ...measured });
      break;
    }
    case "restart":
      cluster.restart(m % 2 === 0 ? cluster.journal : snapshot(cluster.state));
      break;
    case "compact":
      cluster.compact();
      break;
  }
}

/** Jobs that have their fewest go on; those that are through end. */
function work(cluster: Cluster): void {
  for (const [id, loop] of [...cluster.loops]) {
    const job = cluster.state.jobs.get(id)!;
    if (loop.isStopping || !meets(haveOf(membersOf(cluster.state, id)), fewest(job))) continue;
    if (++loop.work >= 20) cluster.end(id, "done");
  }
}

function membersOf({ seats }: State, job: string): Seat[] {
  return [...seats.values()].filter(({ place }) => place.kind === "working" && place.job === job);
}

function running({ jobs }: State): QueuedJob[] {
  return [...jobs.values()].filter(({ phase }) => phase.kind === "running");
}

/** What the records keep. */
function lasting({ jobs, submissions, turns }: State) {
  return { jobs: [...jobs], submissions, turns };
}

/** After every event. */
function check(cluster: Cluster): void {
  const { state, seats, journal, loops, harmed } = cluster;
  const names = seats.map(({ worker }) => worker);
  assert.equal(new Set(names).size, names.length, "a worker has one seat");
  for (const { place, session } of seats) {
    if (place.kind === "working" || place.kind === "leaving") {
      assert.equal(cluster.of(session).job, place.job, "where it is thought to be");
      assert.ok(loops.has(place.job), "its job lives");
    }
  }
  for (const job of running(state)) {
    assert.ok(loops.has(job.id));
    const isWell = meets(haveOf(membersOf(state, job.id)), fewest(job));
    if (isWell) harmed.delete(job.id);
    assert.ok(isWell || harmed.has(job.id), `${job.id} has lost none, and has its fewest`);
  }
  assert.deepEqual(lasting(replay(journal)), lasting(state), "the journal gives the same");
  assert.deepEqual(lasting(replay(snapshot(state))), lasting(state), "a snapshot gives the same");
}

/** When nothing is under way any more, and the patience with dead workers is over. */
function checkCalm({ state }: Cluster): void {
  const idle = [...state.seats.values()].filter(({ place }) => place.kind === "idle");
  const refused = (worker: string, job: string) => state.refusals.get(worker)?.jobs.has(job) === true;
  for (const job of running(state)) {
    const have = haveOf(membersOf(state, job.id));
    if (!meets(have, fewest(job))) continue;
    for (const { role, worker } of idle) {
      const could = couldUse(have, role, most(job, state.courses.get(job.id))) && !refused(worker, job.id);
      assert.ok(!could, `${worker} is idle, and ${job.id} could use it`);
    }
  }
  for (const job of state.jobs.values()) {
    if (job.phase.kind !== "queued") continue;
    const lower = running(state).filter(({ priority }) => priority < job.priority);
    const passed = running(state).filter(({ priority, turn }) => priority === job.priority && turn > job.turn);
    const ofThese = [...lower, ...passed].flatMap(({ id }) => membersOf(state, id));
    const all = [...idle, ...ofThese].filter(({ worker }) => !refused(worker, job.id));
    assert.ok(!meets(haveOf(all), fewest(job)), `${job.id} waits for what is idle, or is in jobs after it`);
  }
}

function calm(cluster: Cluster): void {
  for (let quiet = 0; quiet < 8; ) {
    quiet = cluster.settle() ? 0 : quiet + 1;
    if (quiet > 0) cluster.tick(10_000);
    check(cluster);
  }
}

const runs = { numRuns: Number(process.env["RUNS"] ?? 150), includeErrorInReport: true };

test("no worker is in two jobs, none runs with too few, and the records give the state", () => {
  fc.assert(
    fc.property(fc.array(command, { size: "max", maxLength: 120 }), (commands) => {
      const cluster = new Cluster();
      cluster.happen({ kind: "led" });
      for (const each of commands) {
        play(cluster, each);
        check(cluster);
      }
    }),
    runs,
  );
});

test("no worker is idle that a job could use, and none stays with a job after one that could run with it", () => {
  fc.assert(
    fc.property(fc.array(command, { size: "max", minLength: 20, maxLength: 80 }), (commands) => {
      const cluster = new Cluster();
      cluster.happen({ kind: "led" });
      for (const each of commands) play(cluster, each);
      calm(cluster);
      checkCalm(cluster);
    }),
    runs,
  );
});

test("with workers and time every job comes to its end", () => {
  fc.assert(
    fc.property(fc.array(command, { size: "max", maxLength: 100 }), (commands) => {
      const cluster = new Cluster();
      cluster.happen({ kind: "led" });
      for (const each of commands) play(cluster, each);
      for (const { id, phase } of cluster.state.jobs.values()) {
        const isPaused = phase.kind === "paused" || (phase.kind === "pausing" && phase.next === "paused");
        if (isPaused) cluster.control(id, "resume");
      }
      for (const name of [...cluster.processes.keys()]) cluster.die(name);
      for (let at = 0; at < 8; at++) cluster.join(`new${at}`, "auto");
      for (let round = 0; round < 2_000; round++) {
        cluster.settle();
        cluster.tick(500);
        work(cluster);
      }
      const left = [...cluster.state.jobs.values()].filter(({ phase }) => !("endedMs" in phase));
      assert.deepEqual(left, []);
    }),
    { ...runs, numRuns: 40 },
  );
});

test("a request that is asked again, whatever has happened since, is the job that came of it, and no other", () => {
  fc.assert(
    fc.property(fc.array(command, { size: "max", minLength: 10, maxLength: 80 }), (commands) => {
      const cluster = new Cluster();
      cluster.happen({ kind: "led" });
      const answerOf = (effects: readonly Effect[]) => effects.find((effect) => effect.kind === "answer");
      const taken: { readonly asked: Submission; readonly id: string }[] = [];
      for (const [at, each] of commands.entries()) {
        play(cluster, each);
        const asked = submission(`job${each.n % 8}`, { shape: each.m % 2, request: `r${at}` });
        const answer = each.pick === "submit" ? answerOf(cluster.submit(asked)) : undefined;
        if (answer?.isNew) taken.push({ asked, id: answer.job });
        const again = taken[each.m % Math.max(1, taken.length)];
        if (!again) continue;
        const { submissions } = cluster.state;
        const told = answerOf(cluster.submit(again.asked));
        assert.deepEqual([told?.job, told?.isNew, cluster.state.submissions], [again.id, true, submissions]);
      }
    }),
    runs,
  );
});

test("decide changes nothing that it was given, and decides the same again", () => {
  fc.assert(
    fc.property(fc.array(command, { size: "max", minLength: 10, maxLength: 60 }), (commands) => {
      const cluster = new Cluster();
      cluster.happen({ kind: "led" });
      for (const each of commands) play(cluster, each);
      const { state, atMs } = cluster;
      const before = structuredClone(state);
      const event = { kind: "tick", atMs: atMs + 20_000 } as const;
      const [first, second] = [decide(state, event), decide(state, event)];
      assert.deepEqual(first, second);
      assert.deepEqual(state, before);
    }),
    { ...runs, numRuns: 50 },
  );
});

test("what happened at once is decided about once: each worker hears only where it ends up, and each call is answered", () => {
  const cluster = new Cluster();
  cluster.happen({ kind: "led" });
  const { atMs } = cluster;
  const joins = roles.flatMap((role, at) =>
    [0, 1, 2].map((round): Event => {
      const session = 1 + 4 * round + at;
      const worker = `w${session}`;
      return { kind: "workerJoined", session, worker, instance: worker, role, job: "", atMs };
    }),
  );
  const submitted = [0, 1].map(
    (call): Event => ({ kind: "submitted", call, mostJobs: 2, ...submission(`job${call}`, { shape: 1 }), atMs }),
  );
  const gone: Event = { kind: "workerGone", session: 12, why: "it died", atMs };
  const [state, ...effects] = decide(cluster.state, ...joins, ...submitted, gone);
  const kinds = (kind: Effect["kind"]) => effects.filter((effect) => effect.kind === kind);
  assert.equal(kinds("answer").length, 2);
  assert.equal(kinds("startJob").length, 2);
  const told = effects.flatMap((effect) => (effect.kind === "give" || effect.kind === "idle" ? [effect.session] : []));
  assert.deepEqual(
    told.sort((one, other) => one - other),
    [...state.seats.keys()].sort((one, other) => one - other),
  );
  assert.equal(state.seats.size, 11);
  // Each answer, and each start, after the record that makes it true.
  const place = (kind: Effect["kind"], at: number) => effects.indexOf(kinds(kind)[at]!);
  assert.ok(place("journal", 0) < place("answer", 0) && place("journal", 1) < place("answer", 1));
  assert.ok(place("journal", 2) < place("startJob", 0));
});

test("where as many jobs live as may, one that is new is refused with what to do; one that is there is not", () => {
  const cluster = new Cluster();
  cluster.happen({ kind: "led" });
  cluster.mostJobs = 2;
  cluster.submit(submission("a"));
  cluster.submit(submission("b"));
  cluster.control("b", "pause");
  const [refusal, ...others] = cluster.submit(submission("c"));
  assert.equal(refusal?.kind === "refuse" && refusal.error.code, "unavailable");
  assert.equal(
    refusal?.kind === "refuse" && refusal.error.message,
    "the service is full: 2 jobs wait, run or are paused, and 2 may: submit it when some are over, or start its coordinators with a higher --max-jobs",
  );
  assert.deepEqual(others, []);
  const [answer] = cluster.submit(submission("a"));
  assert.equal(answer?.kind === "answer" && answer.isNew, false);
  cluster.control("b", "cancel");
  assert.deepEqual(
    cluster.submit(submission("c")).map(({ kind }) => kind),
    ["journal", "answer"],
  );
});

test("who is over, and had begun, has an empty journal from then on; of one that had not there is none", () => {
  const cluster = new Cluster();
  cluster.happen({ kind: "led" });
  const retired = (effects: readonly Effect[]) =>
    effects.flatMap((effect) => (effect.kind === "retire" ? [effect.job] : []));
  const ids = ["done", "failed", "paused", "running", "waiting"].map((name) => {
    cluster.submit(submission(name));
    return [...cluster.state.jobs.keys()].at(-1)!;
  });
  for (const name of ["a", "b", "c", "d"])
    for (const role of ["student", "teacher"] as const) cluster.join(`${name}-${role}`, role);
  cluster.tick(0);
  const [done, failed, paused, running, waiting] = ids as [string, string, string, string, string];
  assert.deepEqual([...cluster.loops.keys()], ids.slice(0, 4));
  assert.deepEqual(retired(cluster.end(done, "done")), [done]);
  assert.deepEqual(retired(cluster.end(failed, "failed")), [failed]);
  const paths = [...cluster.control(paused, "pause"), ...cluster.end(paused, "stopped")];
  assert.deepEqual(retired(paths), [], "it goes on from its records");
  assert.deepEqual(retired(cluster.control(paused, "cancel")), [paused]);
  assert.deepEqual(retired(cluster.control(running, "cancel")), []);
  assert.deepEqual(retired(cluster.end(running, "stopped")), [running]);
  assert.deepEqual(retired(cluster.control(waiting, "cancel")), []);
});

test("jobs that are over are forgotten when there are too many, however far ahead a leader's clock is", () => {
  const cluster = new Cluster();
  cluster.happen({ kind: "led" });
  for (let at = 0; at < keptJobs + 2; at++) {
    cluster.submit(submission("same", { digest: `${at}` }));
    cluster.atMs++;
    cluster.control("same", "cancel");
  }
  cluster.tick(0);
  assert.equal(cluster.state.jobs.size, keptJobs);
  assert.ok(!cluster.state.jobs.has(idOf("same", 2)) && cluster.state.jobs.has(idOf("same", 3)));
  const effects = cluster.tick(31 * 24 * 3_600_000);
  assert.equal(cluster.state.jobs.size, keptJobs);
  assert.equal(effects.filter(({ kind }) => kind === "forget").length, 0);
  check(cluster);
});

test("a job that is over is deleted, with what the store has of it, and is a new one when it is submitted again", () => {
  const cluster = new Cluster();
  cluster.happen({ kind: "led" });
  cluster.submit(submission("a"));
  const id = idOf("a", 1);
  const [refusal, ...more] = cluster.control("a", "delete");
  assert.equal(
    refusal?.kind === "refuse" && refusal.error.message,
    `cannot delete ${id}: it is queued; limbeck cancel ${id} ends it`,
  );
  assert.deepEqual(more, []);
  cluster.control("a", "cancel");
  assert.deepEqual(
    cluster.control("a", "delete").map(({ kind }) => kind),
    ["forget", "journal", "answer"],
  );
  assert.equal(cluster.state.jobs.size, 0);
  assert.equal(replay(cluster.journal).jobs.size, 0);
  const answer = cluster.submit(submission("a")).find(({ kind }) => kind === "answer");
  assert.deepEqual(answer?.kind === "answer" && [answer.isNew, answer.job], [true, idOf("a", 2)]);
  check(cluster);
});
