/** A network between two processes that can fail: a TCP proxy that holds bytes back, delays them, or breaks off. */
import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";

export interface Address {
  readonly host: string;
  readonly port: number;
}

export class FaultyLink {
  /** Where it listens. */
  readonly address: Address;
  /** Where connections that come from now on lead. */
  target: Address;
  /** How long every piece is on its way. */
  delayMs = 0;
  readonly #server: Server;
  readonly #pairs = new Set<Pair>();
  #isCut = false;

  /** Listens on a free port of the loopback. */
  static async open(target: Address): Promise<FaultyLink> {
    const server = createServer({ allowHalfOpen: true, noDelay: true });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return new FaultyLink(server, target);
  }

  private constructor(server: Server, target: Address) {
    this.#server = server;
    this.target = target;
    this.address = { host: "127.0.0.1", port: (server.address() as { port: number }).port };
    server.on("connection", (near) => {
      const pair = new Pair(near, this);
      this.#pairs.add(pair);
      pair.onEnd(() => this.#pairs.delete(pair));
      if (!this.#isCut) pair.open();
    });
  }

  get isCut(): boolean {
    return this.#isCut;
  }

  get connections(): number {
    return this.#pairs.size;
  }

  /** Nothing gets through any more, and nobody is told: as when a cable is pulled. */
  cut(): void {
    this.#isCut = true;
    for (const pair of this.#pairs) pair.hold();
  }

  /** What was held back arrives, as TCP would send it again. */
  heal(): void {
    this.#isCut = false;
    for (const pair of this.#pairs) pair.open();
  }

  /** Breaks every connection off. */
  drop(): void {
    for (const pair of this.#pairs) pair.destroy();
  }

  async close(): Promise<void> {
    this.drop();
    this.#server.close();
    await once(this.#server, "close");
  }
}

/** A connection and its continuation. */
class Pair {
  readonly #near: Socket;
  readonly #proxy: FaultyLink;
  #far: Socket | null = null;
  readonly #ended: (() => void)[] = [];

  constructor(near: Socket, proxy: FaultyLink) {
    this.#near = near;
    this.#proxy = proxy;
    near.pause();
    near.on("error", () => this.destroy()).on("close", () => this.destroy());
  }

  onEnd(listener: () => void): void {
    this.#ended.push(listener);
  }

  open(): void {
    if (this.#near.destroyed) return;
    if (this.#far) {
      this.#near.resume();
      this.#far.resume();
      return;
    }
    const far = connect({ ...this.#proxy.target, allowHalfOpen: true, noDelay: true });
    this.#far = far;
    far.on("error", () => this.destroy()).on("close", () => this.destroy());
    this.#pass(this.#near, far);
    this.#pass(far, this.#near);
    this.#near.resume();
  }

  hold(): void {
    this.#near.pause();
    this.#far?.pause();
  }

  destroy(): void {
    this.#near.destroy();
    this.#far?.destroy();
    for (const ended of this.#ended.splice(0)) ended();
  }

  #pass(from: Socket, to: Socket): void {
    from.on("data", (bytes) => {
      this.#later(() => {
        if (to.destroyed || to.write(bytes)) return;
        from.pause();
        to.once("drain", () => {
          if (!this.#proxy.isCut) from.resume();
        });
      });
    });
    from.on("end", () => this.#later(() => to.end()));
  }

  #later(act: () => void): void {
    if (this.#proxy.delayMs === 0) act();
    else setTimeout(act, this.#proxy.delayMs);
  }
}
