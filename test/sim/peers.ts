/** One worker's exchange with the others: what it has published, and what it pulls, over streams it keeps. */
import { LimbeckError } from "../../core/errors.ts";
import type { Life } from "./clock.ts";
import type { End } from "./network.ts";
import { type Publication, Publications, type Wanted } from "./publications.ts";
import type { Settle, Signal, Task } from "./task.ts";
import { until, wait } from "./task.ts";
import type { World } from "./world.ts";

/** As worker/exchange/peerfailure.ts. */
export class PeerFailure extends LimbeckError {
  readonly peer: string;

  constructor(peer: string, cause: LimbeckError) {
    super(cause.code, cause.message, { cause });
    this.peer = peer;
  }
}

interface Request {
  readonly id: number;
  readonly wanted: Wanted;
}
interface Answer {
  readonly id: number;
  readonly publication?: Publication & { readonly newestStep?: number };
  readonly error?: LimbeckError;
  readonly isDamaged?: boolean;
}
export type Payload = NonNullable<Answer["publication"]>;

interface Connection {
  readonly end: End;
  readonly asked: Map<number, Settle<Answer>>;
}

const attempts = 3;

export class Peers {
  readonly publications: Publications;
  /** A payload came damaged and was fetched again. */
  onCorrupted: (from: string, kind: string) => void = () => {};
  readonly #world: World;
  readonly #name: string;
  readonly #life: Life;
  readonly #connections = new Map<string, Connection>();
  #requests = 0;

  constructor(world: World, name: string, life: Life) {
    this.#world = world;
    this.#name = name;
    this.#life = life;
    this.publications = new Publications(world.code.isOfTerm);
    world.network.listen(`${name}/peer`, life, (end) => {
      const waiting = new Map<number, () => void>();
      return {
        data: (message) => {
          const { id, wanted } = message as Request;
          const answer = (rest: Omit<Answer, "id">) => {
            waiting.delete(id);
            end.send({ id, ...rest } satisfies Answer);
          };
          const takeBack = this.publications.take(wanted, {
            ok: (found) => {
              const isDamaged = world.random() < world.scene.damage;
              answer({ publication: { ...found, ...(found.newest && { newestStep: found.newest() }) }, isDamaged });
            },
            fail: (error) => answer({ error: error as LimbeckError }),
          });
          waiting.set(id, takeBack);
        },
        broken: () => {
          for (const takeBack of waiting.values()) takeBack();
        },
      };
    });
  }

  /** @throws stale_term, the signal's reason, or a PeerFailure */
  *pull(peer: string, wanted: Wanted, how: { deadlineMs: number; signal: Signal }): Task<Payload> {
    for (let attempt = 1; ; attempt++) {
      const answer = yield* wait(
        until<Answer>(how.signal, (settle) => this.#ask(peer, wanted, how.deadlineMs, settle)),
      );
      if (answer.error?.code === "stale_term") throw answer.error;
      if (answer.error) throw new PeerFailure(peer, answer.error);
      if (!answer.isDamaged) {
        const payload = answer.publication!;
        this.#world.invariants.used(this.#name, payload, wanted);
        return payload;
      }
      this.onCorrupted(peer, wanted.kind);
      if (attempt === attempts) throw new PeerFailure(peer, new LimbeckError("corrupt", `${wanted.kind} came damaged`));
    }
  }

  #ask(peer: string, wanted: Wanted, deadlineMs: number, settle: Settle<Answer>): () => void {
    const connection = this.#connections.get(peer) ?? this.#connect(peer);
    const id = ++this.#requests;
    const late = this.#world.clock.after(deadlineMs, this.#life, () => {
      const error = new LimbeckError("timeout", `${wanted.kind} of step ${wanted.step} did not come from ${peer}`);
      connection.end.close();
      this.#lose(peer, connection, error);
    });
    connection.asked.set(id, {
      ok: (answer) => {
        late.cancel();
        settle.ok(answer);
      },
      fail: (error) => {
        late.cancel();
        settle.ok({ id, error: error as LimbeckError });
      },
    });
    connection.end.send({ id, wanted } satisfies Request);
    return () => {
      late.cancel();
      connection.asked.delete(id);
    };
  }

  #connect(peer: string): Connection {
    const asked = new Map<number, Settle<Answer>>();
    const end = this.#world.network.connect({ name: this.#name, life: this.#life }, `${peer}/peer`, {
      data: (message) => {
        const answer = message as Answer;
        const settle = asked.get(answer.id);
        asked.delete(answer.id);
        settle?.ok(answer);
      },
      broken: (error) => this.#lose(peer, connection, error),
    });
    const connection = { end, asked };
    this.#connections.set(peer, connection);
    return connection;
  }

  #lose(peer: string, connection: Connection, error: LimbeckError): void {
    if (this.#connections.get(peer) === connection) this.#connections.delete(peer);
    const settles = [...connection.asked.values()];
    connection.asked.clear();
    for (const settle of settles) settle.fail(error);
  }
}
