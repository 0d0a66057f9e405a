/**
 * Streams between processes, as TCP gives them: bytes come in order or the stream breaks; a cut link holds them back
 * until it is healed; a process that dies takes its streams with it, and the other side hears of it if it can.
 */
import { LimbeckError } from "../../core/errors.ts";
import type { Clock, Life } from "./clock.ts";

export interface Receiver {
  data(message: unknown): void;
  broken(error: LimbeckError): void;
}

/** One side of a stream. */
export interface End {
  readonly isOpen: boolean;
  send(message: unknown): void;
  /** The other side hears of it after all that was sent. */
  close(error?: LimbeckError): void;
}

export type Accept = (end: End, from: string) => Receiver;

interface Side {
  readonly name: string;
  life: Life | null;
  receiver: Receiver | null;
  isOpen: boolean;
}

/** One direction of a stream. */
interface Pipe {
  readonly from: Side;
  readonly to: Side;
  lastMs: number;
  readonly held: (() => void)[];
}

const gone = new LimbeckError("unavailable", "the stream broke off");
const refused = new LimbeckError("unavailable", "nobody listens there");

export class Network {
  readonly #clock: Clock;
  readonly #random: () => number;
  readonly #listeners = new Map<string, { readonly life: Life; readonly accept: Accept }>();
  readonly #pipes = new Set<Pipe>();
  /** "from>to" of links that let nothing through, and how often each was cut. */
  readonly #cuts = new Map<string, number>();
  /** Longest delay of a packet. */
  slowestMs = 4;

  constructor(clock: Clock, random: () => number) {
    this.#clock = clock;
    this.#random = random;
  }

  listen(name: string, life: Life, accept: Accept): void {
    this.#listeners.set(name, { life, accept });
  }

  connect(from: { readonly name: string; readonly life: Life }, to: string, receiver: Receiver): End {
    const near: Side = { name: from.name, life: from.life, receiver, isOpen: true };
    // host/service: links are between hosts.
    const far: Side = { name: to.split("/")[0]!, life: null, receiver: null, isOpen: true };
    const [there, back] = [this.#pipe(near, far), this.#pipe(far, near)];
    this.#put(there, () => {
      const listener = this.#listeners.get(to);
      if (!near.isOpen) return;
      if (!listener?.life.isAlive) {
        far.isOpen = false;
        this.#forget(there);
        this.#put(back, () => this.#break(near, back, refused));
        return;
      }
      far.life = listener.life;
      listener.life.do(() => {
        far.receiver = listener.accept(this.#end(far, back), from.name);
      });
    });
    return this.#end(near, there);
  }

  /** Every stream of a process that died breaks. `silently`: its host went with it, nobody is told. */
  died(life: Life, how: { silently: boolean }): void {
    for (const pipe of [...this.#pipes]) {
      if (pipe.from.life !== life) continue;
      pipe.from.isOpen = false;
      if (how.silently) this.#forget(pipe);
      else this.#put(pipe, () => this.#break(pipe.to, pipe, gone));
    }
  }

  /** Breaks one of the streams between two, where there is any. */
  drop(one: string, other: string): boolean {
    const pipes = [...this.#pipes].filter(({ from, to }) => from.name === one && to.name === other && to.isOpen);
    const pipe = pipes[Math.floor(this.#random() * pipes.length)];
    if (!pipe) return false;
    for (const each of this.#pipes) {
      const isOfStream = each.from === pipe.from || each.from === pipe.to;
      if (!isOfStream) continue;
      // Half open, now and then: one side has long given it up when the other hears of it.
      const lateMs = this.#random() < 0.3 ? 1_500 * this.#random() : 0;
      this.#clock.after(lateMs + this.#delayMs(), null, () => this.#break(each.to, each, gone));
    }
    return true;
  }

  cut(from: string, to: string): void {
    const link = `${from}>${to}`;
    this.#cuts.set(link, (this.#cuts.get(link) ?? 0) + 1);
  }

  heal(from: string, to: string): void {
    const link = `${from}>${to}`;
    const left = this.#cuts.get(link)! - 1;
    this.#cuts.set(link, left);
    if (left > 0) return;
    for (const pipe of [...this.#pipes]) {
      if (pipe.from.name !== from || pipe.to.name !== to) continue;
      for (const packet of pipe.held.splice(0)) this.#put(pipe, packet);
    }
  }

  #pipe(from: Side, to: Side): Pipe {
    const pipe = { from, to, lastMs: 0, held: [] };
    this.#pipes.add(pipe);
    return pipe;
  }

  #end(side: Side, pipe: Pipe): End {
    return {
      get isOpen() {
        return side.isOpen;
      },
      send: (message) => {
        if (!side.isOpen) return;
        this.#put(pipe, () => pipe.to.life?.do(() => pipe.to.isOpen && pipe.to.receiver?.data(message)));
      },
      close: (error = gone) => {
        if (!side.isOpen) return;
        side.isOpen = false;
        this.#put(pipe, () => this.#break(pipe.to, pipe, error));
      },
    };
  }

  #put(pipe: Pipe, packet: () => void): void {
    const isCut = (this.#cuts.get(`${pipe.from.name}>${pipe.to.name}`) ?? 0) > 0;
    if (isCut) {
      pipe.held.push(packet);
      return;
    }
    const { nowMs } = this.#clock;
    pipe.lastMs = Math.max(pipe.lastMs, nowMs + this.#delayMs());
    this.#clock.after(pipe.lastMs - nowMs, null, packet);
  }

  #break(side: Side, pipe: Pipe, error: LimbeckError): void {
    this.#forget(pipe);
    side.life?.do(() => {
      if (!side.isOpen) return;
      side.isOpen = false;
      side.receiver?.broken(error);
    });
  }

  #forget(pipe: Pipe): void {
    this.#pipes.delete(pipe);
  }

  #delayMs(): number {
    const draw = this.#random();
    return 0.2 + draw * draw * this.slowestMs;
  }
}
