/** What goes wrong with machines, their networks and their disk, and with a coordinator that is alone. */
import type { Cluster } from "./cluster.ts";
import { type Happening, type LeaderFault, LeaderFaults } from "./leaderfaults.ts";
import type { Machine } from "./machine.ts";
import { between, whole } from "./world.ts";

export type ClusterFault = keyof typeof clusterWeights;

/** How often each is drawn, relative to the others. */
export const clusterWeights = {
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

/** What the acts know of when they happen. */
export interface Surroundings extends Happening {
  /** Other faults are under way. */
  isDisturbed(): boolean;
}

export class ClusterFaults {
  readonly #cluster: Cluster;
  readonly #around: Surroundings;
  readonly #leaderFaults: LeaderFaults;

  constructor(cluster: Cluster, around: Surroundings) {
    this.#cluster = cluster;
    this.#around = around;
    this.#leaderFaults = new LeaderFaults(cluster, around);
  }

  /** False where there was nothing to do it to. */
  happen(kind: ClusterFault | LeaderFault): boolean {
    const cluster = this.#cluster;
    const { coordinators } = cluster;
    const { random, network, disk } = cluster.world;
    const there = cluster.machines.filter(({ worker }) => worker);
    const one = there[whole(random, 0, there.length - 1)];
    switch (kind) {
      case "slow network": {
        network.slowestMs = between(random, 20, 600);
        this.#around.tell(`packets take up to ${network.slowestMs} ms`);
        this.#around.during(between(random, 500, 4_000), () => {
          network.slowestMs = 4;
        });
        return true;
      }
      case "stream drops": {
        if (!one) return false;
        const other = random() < 0.6 ? coordinators.likely : there[whole(random, 0, there.length - 1)]!.name;
        this.#around.tell(`a stream between ${one.name} and ${other} drops`);
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
        return this.newcomer !== undefined && this.#kill(this.newcomer, { silently: random() < 0.3 });
      case "worker paused": {
        const life = one?.life;
        if (!life || life.isPaused) return false;
        const ms = between(random, 50, 5_000);
        this.#around.tell(`${one.name} stands still for ${ms.toFixed(0)} ms`);
        life.pause();
        this.#around.during(ms, () => life.resume());
        return true;
      }
      case "coordinator killed": {
        const { deciding } = coordinators;
        if (!deciding) return false;
        this.#around.tell(`kill -9 ${deciding.name}`);
        coordinators.kill(deciding.name);
        this.#around.during(between(random, 50, 5_000), () => coordinators.start(deciding.name));
        return true;
      }
      case "coordinator paused": {
        const life = coordinators.deciding?.life;
        if (!life || life.isPaused) return false;
        this.#around.tell("the coordinator stands still");
        life.pause();
        this.#around.during(between(random, 100, 3_000), () => life.resume());
        return true;
      }
      case "worker leaves": {
        if (!one || one.worker!.life.isPaused) return false;
        this.#around.tell(`SIGTERM ${one.name}`);
        const stays = this.#mayStayAway(one);
        one.worker!.leave("it was told to");
        const life = one.life;
        this.#around.during(6_000, () => {
          if (one.life === life) one.kill({ silently: false });
          if (!stays) this.#around.during(between(random, 10, 1_000), () => one.start());
        });
        return true;
      }
      case "student joins":
      case "teacher joins": {
        const role = kind === "student joins" ? "student" : "teacher";
        const count = cluster.machines.filter((each) => each.role === role && each.isWanted).length;
        if (count >= (role === "student" ? 8 : 3)) return false;
        const machine = cluster.add(role);
        this.#around.tell(`${machine.name} joins`);
        machine.start();
        return true;
      }
      case "worker slow": {
        if (!one) return false;
        one.slowness = 10;
        this.#around.tell(`${one.name} is ten times slower`);
        this.#around.during(between(random, 2_000, 9_000), () => {
          one.slowness = 1;
        });
        return true;
      }
      case "bit flips":
        return this.#flip();
      case "checkpoint damaged":
        // The last one of a stage may be all that is left of it, should its models' holders die.
        this.#around.tell("the newest checkpoint is damaged");
        return disk.damageNewest(({ stage, step }) => step < cluster.world.oracle.stages[stage]!.steps);
      case "blackout": {
        this.#around.tell("all machines go dark");
        coordinators.killAll();
        for (const machine of there) this.#restarted(machine, { silently: true });
        this.#around.during(between(random, 100, 3_000), () => coordinators.startAll());
        return true;
      }
      case "students killed":
      case "teachers killed": {
        const role = kind === "students killed" ? "student" : "teacher";
        const those = there.filter((each) => each.role === role);
        this.#around.tell(`kill -9 all ${role}s`);
        for (const machine of those) this.#restarted(machine, { silently: false });
        return those.length > 0;
      }
      default:
        return this.#leaderFaults.happen(kind);
    }
  }

  /** One in the middle of its joining, or of its change to another role. */
  get newcomer(): Machine | undefined {
    return this.#cluster.machines.find(({ worker }) => worker?.state.work.kind === "following");
  }

  #cut(one: string, other: string, ms: number): boolean {
    const { network, random } = this.#cluster.world;
    const ways: [string, string][] = [
      [one, other],
      [other, one],
    ];
    const cut = random() < 0.5 ? ways : [ways[whole(random, 0, 1)]!];
    this.#around.tell(`cut for ${ms.toFixed(0)} ms: ${cut.map((way) => way.join(" > ")).join(", ")}`);
    for (const [from, to] of cut) network.cut(from, to);
    this.#around.during(ms, () => {
      this.#around.tell(`healed: ${cut.map((way) => way.join(" > ")).join(", ")}`);
      for (const [from, to] of cut) network.heal(from, to);
    });
    return true;
  }

  #kill(machine: Machine, how: { silently: boolean }): boolean {
    this.#around.tell(`${how.silently ? "the host is gone of" : "kill -9"} ${machine.name}`);
    if (this.#mayStayAway(machine)) machine.kill(how);
    else this.#restarted(machine, how);
    return true;
  }

  #restarted(machine: Machine, how: { silently: boolean }): void {
    machine.kill(how);
    this.#around.during(between(this.#cluster.world.random, 50, 4_000), () => machine.start());
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
    if (this.#around.isDisturbed() || state?.kind !== "running" || state.deal.length < 2) return false;
    const members = machines.filter(({ name }) => state.deal.some(({ worker }) => worker === name));
    const replicas = members.flatMap(({ worker }) => (worker?.state.work.kind === "training" ? [worker.replica!] : []));
    if (replicas.length < state.deal.length) return false;
    const at = whole(world.random, 0, replicas.length - 1);
    const replica = replicas[at]!;
    // Replicas at step 0 are as built: where they differ the job fails, and should.
    if (replica.step === 0 || replica.step >= world.oracle.stages[replica.stage]!.steps) return false;
    this.#around.tell(`a bit flips in a replica of ${members[at]!.name} at step ${replica.step}`);
    replica.weights = (replica.weights ^ (1 << whole(world.random, 0, 30))) >>> 0;
    replica.isTainted = true;
    world.invariants.flipped = members[at]!.name;
    return true;
  }
}
