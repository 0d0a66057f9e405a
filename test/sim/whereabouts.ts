/** How a worker finds who decides: by the addresses it was given, or by the lease's key, as worker/whereabouts.ts and proto/leader.ts. */
import { givenCoordinators, type Whereabouts } from "../../proto/whereabouts.ts";
import type { Life } from "./clock.ts";
import type { Connection } from "./jetstream.ts";
import type { World } from "./world.ts";

const [pollMs, retryMs, timeoutMs] = [5_000, 500, 2_000];
const port = 7_000;

/** As a worker asks. */
export type Asked = Pick<Whereabouts, "where" | "address" | "tried" | "onMoved">;

export function whereaboutsOf(world: World, life: Life): Asked {
  const { coordinators, finding } = world.scene;
  const hosts = coordinators.map((host) => ({ host, port }));
  return finding === "key" ? new KeyFollower(world, life) : givenCoordinators(hosts);
}

class KeyFollower implements Asked {
  readonly where = "NATS";
  readonly #world: World;
  readonly #life: Life;
  readonly #connection: Connection;
  #address = "";
  #fence = -1;
  #asked = 0;
  #moved: ((address: string) => void) | null = null;

  constructor(world: World, life: Life) {
    this.#world = world;
    this.#life = life;
    this.#connection = world.jetStream.connect(life);
    world.jetStream.onChange(life, () => this.#look());
    this.#look();
  }

  address(): string {
    return this.#address;
  }

  /** Who stands by may know better than the last look. */
  tried(leader: string): void {
    if (leader !== "") this.#address = leader;
  }

  onMoved(moved: (address: string) => void): () => void {
    this.#moved = moved;
    return () => {
      if (this.#moved === moved) this.#moved = null;
    };
  }

  /** Now, and again after a while. */
  #look(): void {
    const { jetStream, clock } = this.#world;
    const look = ++this.#asked;
    this.#connection.ask({
      timeoutMs,
      serve: () => jetStream.readLease(),
      answer: (key) => {
        if (look !== this.#asked) return;
        if (key && key.fence !== this.#fence) this.#change(key.leader, key.fence);
        const again = () => look === this.#asked && this.#look();
        clock.after(key?.leader ? pollMs : retryMs, this.#life, again);
      },
    });
  }

  #change(leader: string, fence: number): void {
    this.#fence = fence;
    this.#address = leader;
    if (leader !== "") this.#moved?.(leader);
  }
}
