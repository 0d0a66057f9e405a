/** What goes wrong with several coordinators and what they agree by: now, or in the middle of what they do. */
import type { Moment } from "./clock.ts";
import type { Cluster } from "./cluster.ts";
import type { Contender } from "./contender.ts";
import { between, whole } from "./world.ts";

export type LeaderFault = keyof typeof leaderWeights;

/** How often each is drawn, relative to all faults. */
export const leaderWeights = {
  "leader killed": 8,
  "leader paused": 14,
  "leader suspended": 3,
  "leader wakes as its successor dies": 3,
  "standby killed": 3,
  "standby paused": 2,
  "coordinators killed": 2,
  "NATS away": 4,
  "NATS away from one": 5,
  "NATS unreliable": 5,
} as const;

const moments: readonly Moment[] = ["acting", "writing", "writing", "written"];
/** When a moment that it waits for does not come, it happens so long after, in ms. */
const impatientMs = 2_000;

export interface Happening {
  during(ms: number, then: () => void): void;
  tell(what: string): void;
}

export class LeaderFaults {
  readonly #cluster: Cluster;
  readonly #happening: Happening;

  constructor(cluster: Cluster, happening: Happening) {
    this.#cluster = cluster;
    this.#happening = happening;
  }

  /** False where there was nothing to do it to. */
  happen(kind: LeaderFault): boolean {
    const { coordinators, world } = this.#cluster;
    const { random, jetStream } = world;
    const { during, tell } = this.#happening;
    const those = coordinators.contenders;
    const leader = those.find(({ name }) => name === coordinators.deciding?.name);
    const standby = those.find((each) => each !== leader);
    const one = those[whole(random, 0, those.length - 1)];
    switch (kind) {
      case "leader killed":
        return leader !== undefined && this.#inTheMiddle(leader, () => this.#kill(leader));
      case "leader paused":
        return leader !== undefined && this.#inTheMiddle(leader, () => this.#pause(leader));
      case "leader suspended":
        return leader !== undefined && this.#inTheMiddle(leader, () => this.#suspend(leader));
      case "leader wakes as its successor dies":
        return leader !== undefined && this.#exchange(leader);
      case "standby killed":
        if (standby) this.#kill(standby);
        return standby !== undefined;
      case "standby paused":
        if (standby) this.#pause(standby);
        return standby !== undefined;
      case "coordinators killed":
        for (const each of those) this.#kill(each);
        return those.length > 0;
      case "NATS away": {
        const ms = random() < 0.1 ? 60_000 : between(random, 100, 9_000);
        tell(`NATS is away for ${ms.toFixed(0)} ms`);
        if (jetStream.isAway) return false;
        jetStream.setAway(true);
        during(ms, () => jetStream.setAway(false));
        return true;
      }
      case "NATS away from one": {
        if (!one || one.connection.isCut) return false;
        const ms = between(random, 100, 9_000);
        tell(`NATS is away from ${one.name} for ${ms.toFixed(0)} ms`);
        one.connection.setCut(true);
        during(ms, () => one.connection.setCut(false));
        return true;
      }
      case "NATS unreliable": {
        const ms = between(random, 500, 9_000);
        [jetStream.lossShare, jetStream.slowestMs] = [between(random, 0, 0.4), between(random, 4, 5_000)];
        tell(`NATS loses ${jetStream.lossShare.toFixed(2)} and takes ${jetStream.slowestMs.toFixed(0)} ms`);
        during(ms, () => {
          [jetStream.lossShare, jetStream.slowestMs] = [0, 4];
        });
        return true;
      }
    }
  }

  /** Now, or between what it found and what it does, or between a journal's entry and the news of it. */
  #inTheMiddle({ life }: Contender, what: () => void): boolean {
    const { clock, random } = this.#cluster.world;
    if (life.isPaused || life.trap) return false;
    if (random() < 0.3) {
      what();
      return true;
    }
    const at = moments[whole(random, 0, moments.length - 1)]!;
    const trap = { at, spring: what };
    life.trap = trap;
    this.#happening.during(impatientMs, () => {});
    clock.after(impatientMs, life, () => {
      if (life.trap !== trap) return;
      life.trap = null;
      what();
    });
    return true;
  }

  #kill({ name, life }: Contender): void {
    const { coordinators, world } = this.#cluster;
    if (!life.isAlive) return;
    this.#happening.tell(`kill -9 ${name}`);
    coordinators.kill(name);
    this.#happening.during(between(world.random, 50, 9_000), () => coordinators.start(name));
  }

  /** SIGSTOP, and SIGCONT. */
  #pause({ name, life }: Contender): void {
    if (life.isPaused) return;
    const ms = this.#standstillMs();
    this.#happening.tell(`${name} stands still for ${ms.toFixed(0)} ms`);
    life.pause();
    this.#happening.during(ms, () => life.resume());
  }

  /** A virtual machine, with its monotonic clock: when it goes on it takes its lease for valid. */
  #suspend(contender: Contender, ms = this.#standstillMs()): void {
    const { name, life } = contender;
    if (life.isPaused) return;
    this.#happening.tell(`${name}'s machine is suspended for ${ms.toFixed(0)} ms`);
    life.pause();
    this.#happening.during(ms, () => {
      contender.suspended(ms);
      life.resume();
    });
  }

  /** Workers that look for the new leader find the old one, which takes its lease for valid. */
  #exchange(old: Contender): boolean {
    const { coordinators, world } = this.#cluster;
    if (old.life.isPaused) return false;
    const [laterMs, restMs] = [between(world.random, 4_000, 9_000), between(world.random, 0, 2_000)];
    this.#suspend(old, laterMs + restMs);
    this.#happening.during(laterMs, () => {
      const successor = coordinators.contenders.find(({ name }) => name === coordinators.deciding?.name);
      if (successor && successor !== old) this.#kill(successor);
    });
    return true;
  }

  #standstillMs(): number {
    const { random } = this.#cluster.world;
    return random() < 0.1 ? 30_000 : between(random, 100, 12_000);
  }
}
