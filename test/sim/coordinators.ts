/** The coordinators of a cluster, one or several, and who of them decides. */
import type { JournalRecord } from "../../coordinator/journalrecord.ts";
import type { Outcome, State } from "../../coordinator/state.ts";
import { decisionsOf } from "../decisions.ts";
import { type Act, wrongIn } from "../history.ts";
import { Life } from "./clock.ts";
import { Contender } from "./contender.ts";
import { CoordinatorProcess } from "./coordinator.ts";
import type { World } from "./world.ts";

export class Coordinators {
  readonly #world: World;
  readonly #ended: (outcome: Outcome | "done") => void;
  readonly #there = new Map<string, CoordinatorProcess | Contender>();
  readonly #journal: JournalRecord[] = [];
  readonly #lives = new Map<string, number>();

  constructor(world: World, ended: (outcome: Outcome | "done") => void) {
    this.#world = world;
    this.#ended = ended;
  }

  get names(): readonly string[] {
    return this.#world.scene.coordinators;
  }

  /** The one that decides; of two who think so, the newer. */
  get deciding(): { readonly name: string; readonly life: Life; readonly state: State } | null {
    const deciding = [...this.#there.values()].filter(({ state }) => state !== null);
    const fenceOf = (each: CoordinatorProcess | Contender) => (each instanceof Contender ? each.fence : 0);
    const [first] = deciding.sort((a, b) => fenceOf(b) - fenceOf(a));
    return first ? { name: first.name, life: first.life, state: first.state! } : null;
  }

  /** Of several. */
  get contenders(): Contender[] {
    return [...this.#there.values()].filter((each) => each instanceof Contender);
  }

  /** Whom a worker most likely has a session with. */
  get likely(): string {
    return this.deciding?.name ?? this.names[0]!;
  }

  get why(): string {
    const those = this.names.map((name) => `  ${name}: ${this.#there.get(name)?.why ?? "not there"}`);
    return those.join("\n");
  }

  start(name: string): void {
    if (this.#there.has(name)) return;
    const [world, ended] = [this.#world, this.#ended];
    if (this.names.length === 1) {
      const parts = { name, journal: this.#journal, ended };
      world.story.tell(name, () => `starts with ${this.#journal.length} records`);
      this.#there.set(name, new CoordinatorProcess(world, new Life(name), parts));
      return;
    }
    const lives = (this.#lives.get(name) ?? 0) + 1;
    this.#lives.set(name, lives);
    world.story.tell(name, () => `starts as ${name}#${lives}`);
    this.#there.set(name, new Contender(world, new Life(`${name}#${lives}`), { name, ended }));
  }

  startAll(): void {
    for (const name of this.names) this.start(name);
  }

  kill(name: string): void {
    const life = this.#there.get(name)?.life;
    if (!life) return;
    this.#there.delete(name);
    life.isAlive = false;
    this.#world.network.died(life, { silently: false });
  }

  killAll(): void {
    for (const name of this.names) this.kill(name);
  }

  /** The first that is wrong in what they all decided; null: nothing. */
  wrong(): string | null {
    const { jetStream, history } = this.#world;
    const written = jetStream.journal.map(({ record, writer, ...entry }): Act => {
      const by = { ...entry, coordinator: writer };
      return record ? { kind: "written", ...by, decisions: decisionsOf(record) } : { kind: "led", ...by };
    });
    const [first] = wrongIn([...history, ...written]);
    return first ? `history: ${first}` : null;
  }
}
