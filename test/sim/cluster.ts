/** A whole cluster from one seed: its machines, one coordinator or several, and what is done to them. */
import type { Outcome } from "../../coordinator/state.ts";
import { randomStream } from "../../core/random.ts";
import { studentsGiven } from "../../core/studentrange.ts";
import type { Act } from "../history.ts";
import { Clock } from "./clock.ts";
import { Coordinators } from "./coordinators.ts";
import { Disk } from "./disk.ts";
import { type FaultKind, Faults } from "./faults.ts";
import { Invariants } from "./invariants.ts";
import { JetStream } from "./jetstream.ts";
import { Machine } from "./machine.ts";
import { Network } from "./network.ts";
import { Oracle } from "./oracle.ts";
import { sceneOf } from "./scene.ts";
import { Story } from "./story.ts";
import { type Code, realCode, type World, whole } from "./world.ts";

/** How long after the last fault the job may take to be done, in virtual time. */
const doneMs = 90_000;
/** Every so many seeds have several coordinators. */
export const severalEvery = 3;

export interface Options {
  /** In words, every event. */
  readonly isTold?: boolean;
  /** A planted bug. */
  readonly code?: Partial<Code>;
  /** What goes wrong; all that can, if not given. */
  readonly faults?: readonly FaultKind[];
}

export interface Result {
  readonly seed: number;
  /** null where all went as it should. */
  readonly failure: string | null;
  readonly story: readonly string[];
  readonly faults: Readonly<Record<string, number>>;
  readonly terms: number;
  /** Of several coordinators, how often one took over. */
  readonly leaders: number;
  readonly roleChanges: number;
  readonly virtualMs: number;
  readonly events: number;
}

export class Cluster {
  readonly world: World;
  readonly machines: Machine[] = [];
  readonly coordinators: Coordinators;
  /** "done": as its journal says. */
  outcome: Outcome | "done" | null = null;
  readonly faultCounts: Record<string, number> = {};
  readonly #faults: readonly FaultKind[] | undefined;

  constructor(seed: number, { isTold = false, code = {}, faults }: Options) {
    const random = randomStream(0x51a, seed);
    const scene = sceneOf(random, { isAlone: seed % severalEvery !== severalEvery - 1 });
    const clock = new Clock();
    const oracle = new Oracle(scene.job, scene.trainExamples, scene.poison);
    const allCode: Code = { ...realCode, ...code };
    const history: Act[] = [];
    this.world = {
      clock,
      network: new Network(clock, random),
      jetStream: new JetStream(clock, { random, code: allCode }),
      history,
      announced: [],
      disk: new Disk(),
      oracle,
      scene,
      story: new Story(clock, isTold),
      invariants: new Invariants(oracle, history),
      code: allCode,
      random,
    };
    this.#faults = faults;
    this.coordinators = new Coordinators(this.world, (outcome) => {
      this.outcome = outcome;
    });
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

  /** What went wrong, first of all with the decisions; null: nothing. */
  run(): string | null {
    const failure = this.#run();
    return this.coordinators.wrong() ?? failure;
  }

  #run(): string | null {
    const { clock, invariants, scene } = this.world;
    for (let at = 0; at < scene.students; at++) this.add("student");
    for (let at = 0; at < scene.teachers; at++) this.add("teacher");
    this.coordinators.startAll();
    for (const machine of this.machines) clock.after(whole(this.world.random, 0, 800), null, () => machine.start());
    const faults = new Faults(this, this.#faults);
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
    return [this.coordinators.why, ...workers].join("\n");
  }
}

export function simulate(seed: number, options: Options = {}): Result {
  const cluster = new Cluster(seed, options);
  const failure = cluster.run();
  const { invariants, clock, story, jetStream } = cluster.world;
  return {
    seed,
    failure,
    story: story.lines,
    faults: cluster.faultCounts,
    terms: invariants.terms,
    leaders: jetStream.journal.filter(({ record }) => record === null).length,
    roleChanges: invariants.roleChanges,
    virtualMs: Math.round(clock.nowMs),
    events: clock.events,
  };
}
