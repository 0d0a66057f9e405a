/** A whole cluster from one seed: its machines, the coordinator and its journal, and what is done to them. */
import type { JournalRecord } from "../../coordinator/journalrecord.ts";
import type { Outcome } from "../../coordinator/state.ts";
import type { ProgressEvent } from "../../core/events.ts";
import { studentsGiven } from "../../core/job.ts";
import { randomStream } from "../../core/random.ts";
import { Clock, Life } from "./clock.ts";
import { CoordinatorProcess } from "./coordinator.ts";
import { Disk } from "./disk.ts";
import { Faults } from "./faults.ts";
import { Invariants } from "./invariants.ts";
import { Machine } from "./machine.ts";
import { Network } from "./network.ts";
import { Oracle } from "./oracle.ts";
import { sceneOf } from "./scene.ts";
import { Story } from "./story.ts";
import { type Code, realCode, type World, whole } from "./world.ts";

/** How long after the last fault the job may take to be done, in virtual time. */
const doneMs = 90_000;

export interface Options {
  /** In words, every event. */
  readonly isTold?: boolean;
  /** A planted bug. */
  readonly code?: Partial<Code>;
}

export interface Result {
  readonly seed: number;
  /** null where all went as it should. */
  readonly failure: string | null;
  readonly story: readonly string[];
  readonly faults: Readonly<Record<string, number>>;
  readonly terms: number;
  readonly roleChanges: number;
  readonly virtualMs: number;
  readonly events: number;
}

export class Cluster {
  readonly world: World;
  readonly machines: Machine[] = [];
  coordinator: CoordinatorProcess | null = null;
  /** "done": as its journal says. */
  outcome: Outcome | "done" | null = null;
  readonly faultCounts: Record<string, number> = {};
  readonly #journal: JournalRecord[] = [];
  readonly #announced: ProgressEvent[] = [];

  constructor(seed: number, { isTold = false, code = {} }: Options) {
    const random = randomStream(0x51a, seed);
    const scene = sceneOf(random);
    const clock = new Clock();
    const oracle = new Oracle(scene.job, scene.trainExamples, scene.poison);
    this.world = {
      clock,
      network: new Network(clock, random),
      disk: new Disk(),
      oracle,
      scene,
      story: new Story(clock, isTold),
      invariants: new Invariants(oracle),
      code: { ...realCode, ...code },
      random,
    };
  }

  get min(): number {
    return studentsGiven(this.world.scene.job.workers).min;
  }

  /** About how long the job would take if nothing went wrong. */
  get undisturbedMs(): number {
    const { scene, oracle } = this.world;
    const steps = oracle.stages.reduce((total, stage) => total + stage.steps, 0);
    return (steps * scene.laneMs * scene.job.lanes.count) / scene.students;
  }

  add(role: "student" | "teacher"): Machine {
    const number = 1 + this.machines.filter((each) => each.role === role).length;
    const machine = new Machine(this.world, `${role}-${number}`, role);
    this.machines.push(machine);
    return machine;
  }

  startCoordinator(): void {
    if (this.coordinator) return;
    this.world.story.tell("coordinator", () => `starts with ${this.#journal.length} records`);
    this.coordinator = new CoordinatorProcess(this.world, new Life("coordinator"), {
      journal: this.#journal,
      announced: this.#announced,
      skewMs: whole(this.world.random, -3_000, 3_000) + 1_000_000,
      ended: (outcome) => {
        this.outcome = outcome;
      },
    });
  }

  killCoordinator(): void {
    const life = this.coordinator?.life;
    if (!life) return;
    this.coordinator = null;
    life.isAlive = false;
    this.world.network.died(life, { silently: false });
  }

  run(): string | null {
    const { clock, invariants, scene } = this.world;
    for (let at = 0; at < scene.students; at++) this.add("student");
    for (let at = 0; at < scene.teachers; at++) this.add("teacher");
    this.startCoordinator();
    for (const machine of this.machines) clock.after(whole(this.world.random, 0, 800), null, () => machine.start());
    const faults = new Faults(this);
    while (!this.outcome) {
      let isMore = true;
      try {
        isMore = clock.advance();
      } catch (thrown) {
        if (!invariants.violation) throw thrown;
      }
      if (invariants.hasEscaped) {
        this.faultCounts["flip unnoticed"] = 1;
        return null;
      }
      if (invariants.violation) return invariants.violation.message;
      if (!isMore) return `L7: nothing will happen any more\n${this.#waits()}`;
      if (clock.nowMs > faults.overMs + doneMs)
        return `L7: not done ${doneMs} ms after the last fault\n${this.#waits()}`;
    }
    if (this.outcome === "done" || this.outcome.kind === "done") return null;
    return `the job ended ${this.outcome.kind}: ${this.outcome.kind === "failed" ? this.outcome.error.message : this.outcome.why}`;
  }

  /** Who waits for what. */
  #waits(): string {
    const workers = this.machines.map(({ name, worker }) => {
      if (!worker) return `  ${name} is not there`;
      const { state, reason, isHeard } = worker;
      return `  ${name}: ${state.work.kind} in term ${state.term}, ${isHeard ? "" : "without a session, "}${reason}`;
    });
    return [`  coordinator: ${this.coordinator?.why ?? "not there"}`, ...workers].join("\n");
  }
}

export function simulate(seed: number, options: Options = {}): Result {
  const cluster = new Cluster(seed, options);
  const failure = cluster.run();
  const { invariants, clock, story } = cluster.world;
  return {
    seed,
    failure,
    story: story.lines,
    faults: cluster.faultCounts,
    terms: invariants.terms,
    roleChanges: invariants.roleChanges,
    virtualMs: Math.round(clock.nowMs),
    events: clock.events,
  };
}
