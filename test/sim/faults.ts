/** What goes wrong, drawn from the seed: a handful of faults in the first seconds, each of which ends. */
import type { Cluster } from "./cluster.ts";
import { type LeaderFault, LeaderFaults, leaderWeights } from "./leaderfaults.ts";
import type { Machine } from "./machine.ts";
import { between, whole } from "./world.ts";

/** Faults begin before this, in ms. */
const longest = 15_000;
const most = 7;

export type FaultKind = keyof typeof weights | LeaderFault;

/** How often each is drawn, relative to the others. */
const weights = {
  "slow network": 2,
  "stream drops": 5,
  "worker cut off": 3,
  "workers cut apart": 3,
  "worker killed": 5,
  "newcomer killed": 3,
  "host vanishes": 2,
  "worker paused": 4,
  "coordinator killed": 4,
  "coordinator paused": 2,
  "worker leaves": 3,
  "student joins": 4,
  "teacher joins": 1,
  "worker slow": 2,
  "bit flips": 4,
  "checkpoint damaged": 2,
  blackout: 1,
  "students killed": 1,
  "teachers killed": 2,
} as const;

export class Faults {
  readonly #cluster: Cluster;
  readonly #weights: readonly [FaultKind, number][];
  readonly #leaderFaults: LeaderFaults;
  /** Yet to come. */
  #coming = 0;
  /** Under way. */
  #open = 0;
  #lastMs = 0;

  /** @param only what may go wrong; all that can, if not given */
  constructor(cluster: Cluster, only?: readonly FaultKind[]) {
    this.#cluster = cluster;
    const { random } = cluster.world;
    const isAlone = cluster.coordinators.names.length === 1;
    const all = Object.entries({ ...weights, ...(isAlone ? {} : leaderWeights) }) as [FaultKind, number][];
    this.#weights = all.filter(([kind]) => !only || only.includes(kind));
    this.#leaderFaults = new LeaderFaults(cluster, {
      during: (ms, then) => this.#during(ms, then),
      tell: (what) => this.#tell(what),
    });
    const count = random() < 0.05 ? 0 : whole(random, 1, most);
    const spanMs = Math.min(longest, 2_000 + 1.2 * cluster.undisturbedMs);
    for (let at = 0; at < count; at++) this.#schedule(this.#draw(), between(random, 200, spanMs));
  }

  /** When all was over; never, while there is more to come. */
  get overMs(): number {
    return this.#open + this.#coming > 0 ? Number.POSITIVE_INFINITY : this.#lastMs;
  }

  #draw(): FaultKind {
    const { random } = this.#cluster.world;
    let left = random() * this.#weights.reduce((total, [, weight]) => total + weight, 0);
    for (const [kind, weight] of this.#weights) {
      left -= weight;
      if (left < 0) return kind;
    }
    return "stream drops";
  }

  #schedule(kind: FaultKind, inMs: number): void {
    const { clock } = this.#cluster.world;
    this.#coming += 1;
    clock.after(inMs, null, () => {
      this.#coming -= 1;
      this.#lastMs = clock.nowMs;
      // A flipped bit is found by comparison: others must not copy the replica before.
      if (this.#cluster.world.invariants.flipped && clock.nowMs < 60_000) return this.#schedule(kind, 300);
      if (kind === "newcomer killed" && !this.#newcomer && clock.nowMs < longest) return this.#schedule(kind, 40);
      if (!this.#happen(kind)) return;
      this.#cluster.faultCounts[kind] = (this.#cluster.faultCounts[kind] ?? 0) + 1;
    });
  }

  /** A fault lasts so long. */
  #during(ms: number, then: () => void): void {
    const { clock } = this.#cluster.world;
    this.#open += 1;
    clock.after(ms, null, () => {
      this.#open -= 1;
      this.#lastMs = clock.nowMs;
      then();
    });
  }

  #tell(what: string): void {
    this.#cluster.world.story.tell("FAULT", () => what);
  }

  /** False where there was nothing to do it to. */
  #happen(kind: FaultKind): boolean {
    const cluster = this.#cluster;
    const { coordinators } = cluster;
    const { random, network, disk } = cluster.world;
    const there = cluster.machines.filter(({ worker }) => worker);
    const one = there[whole(random, 0, there.length - 1)];
    switch (kind) {
      case "slow network": {
        network.slowestMs = between(random, 20, 600);
        this.#tell(`packets take up to ${network.slowestMs} ms`);
        this.#during(between(random, 500, 4_000), () => {
          network.slowestMs = 4;
        });
        return true;
      }
      case "stream drops": {
        if (!one) return false;
        const other = random() < 0.6 ? coordinators.likely : there[whole(random, 0, there.length - 1)]!.name;
        this.#tell(`a stream between ${one.name} and ${other} drops`);
        return network.drop(one.name, other);
      }
      case "worker cut off":
        return one !== undefined && this.#cut(one.name, coordinators.likely, between(random, 100, 6_000));
      case "workers cut apart": {
        const other = there[whole(random, 0, there.length - 1)];
        if (!one || !other || one === other) return false;
        return this.#cut(one.name, other.name, between(random, 100, 8_000));
      }
      case "worker killed":
      case "host vanishes":
        return one !== undefined && this.#kill(one, { silently: kind === "host vanishes" });
      case "newcomer killed":
        return this.#newcomer !== undefined && this.#kill(this.#newcomer, { silently: random() < 0.3 });
      case "worker paused": {
        const life = one?.life;
        if (!life || life.isPaused) return false;
        const ms = between(random, 50, 5_000);
        this.#tell(`${one.name} stands still for ${ms.toFixed(0)} ms`);
        life.pause();
        this.#during(ms, () => life.resume());
        return true;
      }
      case "coordinator killed": {
        const { deciding } = coordinators;
        if (!deciding) return false;
        this.#tell(`kill -9 ${deciding.name}`);
        coordinators.kill(deciding.name);
        this.#during(between(random, 50, 5_000), () => coordinators.start(deciding.name));
        return true;
      }
      case "coordinator paused": {
        const life = coordinators.deciding?.life;
        if (!life || life.isPaused) return false;
        this.#tell("the coordinator stands still");
        life.pause();
        this.#during(between(random, 100, 3_000), () => life.resume());
        return true;
      }
      case "worker leaves": {
        if (!one || one.worker!.life.isPaused) return false;
        this.#tell(`SIGTERM ${one.name}`);
        const stays = this.#mayStayAway(one);
        one.worker!.leave("it was told to");
        const life = one.life;
        this.#during(6_000, () => {
          if (one.life === life) one.kill({ silently: false });
          if (!stays) this.#during(between(random, 10, 1_000), () => one.start());
        });
        return true;
      }
      case "student joins":
      case "teacher joins": {
        const role = kind === "student joins" ? "student" : "teacher";
        const count = cluster.machines.filter((each) => each.role === role && each.isWanted).length;
        if (count >= (role === "student" ? 8 : 3)) return false;
        const machine = cluster.add(role);
        this.#tell(`${machine.name} joins`);
        machine.start();
        return true;
      }
      case "worker slow": {
        if (!one) return false;
        one.slowness = 10;
        this.#tell(`${one.name} is ten times slower`);
        this.#during(between(random, 2_000, 9_000), () => {
          one.slowness = 1;
        });
        return true;
      }
      case "bit flips":
        return this.#flip();
      case "checkpoint damaged":
        // The last one of a stage may be all that is left of it, should its models' holders die.
        this.#tell("the newest checkpoint is damaged");
        return disk.damageNewest(({ stage, step }) => step < cluster.world.oracle.stages[stage]!.steps);
      case "blackout": {
        this.#tell("all machines go dark");
        coordinators.killAll();
        for (const machine of there) this.#restarted(machine, { silently: true });
        this.#during(between(random, 100, 3_000), () => coordinators.startAll());
        return true;
      }
      case "students killed":
      case "teachers killed": {
        const role = kind === "students killed" ? "student" : "teacher";
        const those = there.filter((each) => each.role === role);
        this.#tell(`kill -9 all ${role}s`);
        for (const machine of those) this.#restarted(machine, { silently: false });
        return those.length > 0;
      }
      default:
        return this.#leaderFaults.happen(kind);
    }
  }

  /** One in the middle of its joining, or of its change to another role. */
  get #newcomer(): Machine | undefined {
    return this.#cluster.machines.find(({ worker }) => worker?.state.work.kind === "following");
  }

  #cut(one: string, other: string, ms: number): boolean {
    const { network, random } = this.#cluster.world;
    const ways: [string, string][] = [
      [one, other],
      [other, one],
    ];
    const cut = random() < 0.5 ? ways : [ways[whole(random, 0, 1)]!];
    this.#tell(`cut for ${ms.toFixed(0)} ms: ${cut.map((way) => way.join(" > ")).join(", ")}`);
    for (const [from, to] of cut) network.cut(from, to);
    this.#during(ms, () => {
      this.#tell(`healed: ${cut.map((way) => way.join(" > ")).join(", ")}`);
      for (const [from, to] of cut) network.heal(from, to);
    });
    return true;
  }

  #kill(machine: Machine, how: { silently: boolean }): boolean {
    this.#tell(`${how.silently ? "the host is gone of" : "kill -9"} ${machine.name}`);
    if (this.#mayStayAway(machine)) machine.kill(how);
    else this.#restarted(machine, how);
    return true;
  }

  #restarted(machine: Machine, how: { silently: boolean }): void {
    machine.kill(how);
    this.#during(between(this.#cluster.world.random, 50, 4_000), () => machine.start());
  }

  /** True, now and then, where the job can do without it for good. */
  #mayStayAway(machine: Machine): boolean {
    const { machines, min, world } = this.#cluster;
    const left = machines.filter((each) => each.role === machine.role && each.isWanted).length - 1;
    const needed = machine.role === "student" ? min : world.scene.job.workers.teachers;
    if (left < needed || world.random() < 0.5) return false;
    machine.isWanted = false;
    return true;
  }

  /** One bit of a member's weights, where comparison can find it: between members that all train. */
  #flip(): boolean {
    const { coordinators, machines, world } = this.#cluster;
    const state = coordinators.deciding?.state;
    if (this.#open > 0 || state?.kind !== "running" || state.deal.length < 2) return false;
    const members = machines.filter(({ name }) => state.deal.some(({ worker }) => worker === name));
    const replicas = members.flatMap(({ worker }) => (worker?.state.work.kind === "training" ? [worker.replica!] : []));
    if (replicas.length < state.deal.length) return false;
    const at = whole(world.random, 0, replicas.length - 1);
    const replica = replicas[at]!;
    // Replicas at step 0 are as built: where they differ the job fails, and should.
    if (replica.step === 0 || replica.step >= world.oracle.stages[replica.stage]!.steps) return false;
    this.#tell(`a bit flips in a replica of ${members[at]!.name} at step ${replica.step}`);
    replica.weights = (replica.weights ^ (1 << whole(world.random, 0, 30))) >>> 0;
    replica.isTainted = true;
    world.invariants.flipped = members[at]!.name;
    return true;
  }
}
