/**
 * The service's surroundings as far as its decisions meet them: jobs that take some work and stop when told, workers that
 * join, are let go, join again and die. It refuses orders that the shell could not carry out.
 */
import assert from "node:assert/strict";
import { decide } from "../../../coordinator/service/queue.ts";
import { replay, snapshot } from "../../../coordinator/service/records.ts";
import type {
  Effect,
  Event,
  Happening,
  Seat,
  ServiceRecord,
  State,
  Submission,
  WorkerRole,
} from "../../../coordinator/service/vocabulary.ts";
import type { JobAction } from "../../../core/jobstate.ts";

export interface Process {
  readonly name: string;
  readonly role: WorkerRole;
  readonly instance: string;
  /** null between two sessions. */
  session: number | null;
  /** Its job: what it has of that goes with the process only. */
  job: string;
  isTold: boolean;
}

interface Loop {
  work: number;
  isStopping: boolean;
}

export class Cluster {
  state: State = replay([]);
  atMs = 1_000;
  mostJobs = 1_000;
  readonly journal: ServiceRecord[] = [];
  readonly processes = new Map<string, Process>();
  readonly loops = new Map<string, Loop>();
  /** Running jobs that lost workers without having been asked. */
  readonly harmed = new Set<string>();
  /** Of workers, by session. */
  readonly names = new Map<number, string>();
  /** Worker's instance and job. */
  readonly #refused = new Set<string>();
  readonly #work = new Map<string, number>();
  #sessions = 0;
  #calls = 0;

  happen(happening: Happening): readonly Effect[] {
    const event: Event = { ...happening, atMs: this.atMs };
    const [next, ...effects] = decide(this.state, event);
    this.state = next;
    for (const effect of effects) this.#perform(effect);
    return effects;
  }

  #perform(effect: Effect): void {
    switch (effect.kind) {
      case "journal":
        this.journal.push(effect.record);
        return;
      case "startJob":
        assert.ok(!this.loops.has(effect.job), `${effect.job} runs already`);
        assert.equal(effect.begun, this.#work.has(effect.job), "it has records of its own");
        this.loops.set(effect.job, { work: this.#work.get(effect.job) ?? 0, isStopping: false });
        this.#work.set(effect.job, this.loops.get(effect.job)!.work);
        return;
      case "stopJob":
        assert.equal(this.loops.get(effect.job)?.isStopping, false, `${effect.job} is stopped once`);
        this.loops.get(effect.job)!.isStopping = true;
        return;
      case "give": {
        const process = this.of(effect.session);
        assert.ok(process.job === "" || process.job === effect.job, `${process.name} is in ${process.job}`);
        assert.ok(this.loops.has(effect.job), `${effect.job} has a loop`);
        const isRefused = this.#refused.has(`${process.instance} ${effect.job}`);
        assert.ok(!isRefused, `${effect.job} refused ${process.name}`);
        process.job = effect.job;
        return;
      }
      case "take": {
        const process = this.of(effect.session);
        assert.equal(process.job, effect.job);
        assert.equal(process.isTold, false, `${process.name} is told once`);
        process.isTold = true;
        return;
      }
      case "sendOn": {
        const process = this.of(effect.session);
        const isRefused = this.#refused.has(`${process.instance} ${process.job}`);
        assert.ok(process.job !== "" && (isRefused || !this.loops.has(process.job)), "what it has is of no use");
        Object.assign(process, { session: null, job: "", isTold: false });
        return;
      }
      case "idle":
        assert.equal(this.of(effect.session).job, "", "an idle one is in no job");
        return;
      case "retire":
        assert.ok(!this.loops.has(effect.job), `${effect.job} is written no more`);
        assert.ok(this.#work.delete(effect.job), `${effect.job} has records of its own, once`);
        return;
      case "answer":
      case "refuse":
      case "forget":
        return;
    }
  }

  of(session: number): Process {
    const process = [...this.processes.values()].find((each) => each.session === session);
    assert.ok(process, `session ${session} is open`);
    return process;
  }

  join(name: string, role: WorkerRole): readonly Effect[] {
    const instance = `${name}:${this.#sessions}`;
    this.processes.set(name, { name, role, instance, session: null, job: "", isTold: false });
    return this.rejoin(name);
  }

  /** With another session; it says the job it still works in. */
  rejoin(name: string): readonly Effect[] {
    const process = this.processes.get(name)!;
    process.session = ++this.#sessions;
    const { session, role, instance, job } = process;
    this.names.set(session, name);
    return this.happen({ kind: "workerJoined", session, worker: name, instance, role, job });
  }

  die(name: string): readonly Effect[] {
    const { session, job } = this.processes.get(name)!;
    this.processes.delete(name);
    if (job !== "") this.harmed.add(job);
    return session === null ? [] : this.happen({ kind: "workerGone", session, why: "its session broke off" });
  }

  /** Its job lets it go: its session ends. */
  release(name: string): readonly Effect[] {
    const process = this.processes.get(name)!;
    const session = process.session!;
    const effects = this.happen({ kind: "workerReleased", session });
    Object.assign(process, { session: null, job: "", isTold: false });
    return [...effects, ...this.happen({ kind: "workerGone", session, why: "it left" })];
  }

  refuse(name: string): readonly Effect[] {
    const process = this.processes.get(name)!;
    this.harmed.add(process.job);
    this.#refused.add(`${process.instance} ${process.job}`);
    Object.assign(process, { job: "", isTold: false });
    return this.happen({ kind: "workerRefused", session: process.session!, why: "no such file" });
  }

  /** Workers leave a job that stops before its loop is over, and others after its end is known. */
  end(job: string, outcome: "done" | "failed" | "stopped"): readonly Effect[] {
    const leave = () => this.members(job).flatMap(({ name }) => this.release(name));
    const end = () => {
      this.#work.set(job, this.loops.get(job)!.work);
      this.loops.delete(job);
      for (const process of this.members(job)) process.isTold = true;
      return this.happen({ kind: "jobEnded", job, outcome, why: `it is ${outcome}`, summary: null });
    };
    return outcome === "stopped" ? [...leave(), ...end()] : [...end(), ...leave()];
  }

  submit(submission: Submission): readonly Effect[] {
    return this.happen({ kind: "submitted", call: ++this.#calls, mostJobs: this.mostJobs, ...submission });
  }

  control(job: string, action: JobAction): readonly Effect[] {
    return this.happen({ kind: "controlled", call: ++this.#calls, job, action, why: "" });
  }

  tick(ms: number): readonly Effect[] {
    this.atMs += ms;
    return this.happen({ kind: "tick" });
  }

  /** Another leads, by the records; workers come back by themselves. */
  restart(records: readonly ServiceRecord[] = this.journal): readonly Effect[] {
    for (const [job, { work }] of this.loops) {
      this.#work.set(job, work);
      this.harmed.add(job);
    }
    this.loops.clear();
    for (const process of this.processes.values()) Object.assign(process, { session: null, isTold: false });
    this.state = replay(records);
    this.#refused.clear();
    return this.happen({ kind: "led" });
  }

  /** Those that it reaches. */
  members(job: string): Process[] {
    return [...this.processes.values()].filter((process) => process.job === job && process.session !== null);
  }

  /** All that was ordered is done, and all that wait between sessions join again. False where nothing was left to do. */
  settle(effects: Effect[] = []): boolean {
    const ending = [...this.loops].find(([, { isStopping }]) => isStopping);
    const told = [...this.processes.values()].find(({ isTold }) => isTold);
    const between = [...this.processes.values()].find(({ session }) => session === null);
    if (ending) effects.push(...this.end(ending[0], "stopped"));
    else if (told) effects.push(...this.release(told.name));
    else if (between) effects.push(...this.rejoin(between.name));
    return ending !== undefined || told !== undefined || between !== undefined;
  }

  compact(): void {
    this.journal.splice(0, this.journal.length, ...snapshot(this.state));
  }

  get seats(): Seat[] {
    return [...this.state.seats.values()];
  }
}
