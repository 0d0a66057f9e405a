/** One worker's stream: it says hello, once and first, and then what it likes, but not faster than can be kept. */
import type { ServerDuplexStream } from "@grpc/grpc-js";
import { asLimbeckError, LimbeckError } from "../core/errors.ts";
import type { FromWorker__Output } from "../proto/gen/limbeck/v1/FromWorker.ts";
import type { ToWorker } from "../proto/gen/limbeck/v1/ToWorker.ts";
import { statusOf } from "../proto/status.ts";
import { understand, type WorkerMessage } from "./messages.ts";
import { Pace } from "./pace.ts";

export type JoinStream = ServerDuplexStream<FromWorker__Output, ToWorker>;

export interface JoinHearer {
  heard(message: WorkerMessage): void;
  /** Called once. */
  over(why: string): void;
}

const helloMs = 10_000;
/** What may be an event each time it is said, and events are kept: a worker that is well says it four times a second. */
const kept: ReadonlySet<WorkerMessage["kind"]> = new Set(["heartbeat", "warned", "corrupted"]);
const keptPace = { burst: 100, perSecond: 20 };

/** @returns refuses the worker: its stream ends with the error */
export function hearJoin(stream: JoinStream, hearer: JoinHearer): (error: LimbeckError) => void {
  const pace = new Pace(keptPace);
  let isGreeted = false;
  let isOver = false;
  let held: NodeJS.Timeout | undefined;
  const over = (why: string) => {
    if (isOver) return;
    isOver = true;
    clearTimeout(greeting);
    clearTimeout(held);
    hearer.over(why);
  };
  const refuse = (error: LimbeckError, why = error.message) => {
    if (isOver) return;
    over(why);
    stream.emit("error", statusOf(error));
  };
  const greeting = setTimeout(() => {
    refuse(new LimbeckError("timeout", `no hello came in ${helloMs / 1000} s`));
  }, helloMs);
  const hear = (message: WorkerMessage) => {
    if (isOver) return;
    const isHello = message.kind === "hello";
    if (isHello === isGreeted) throw outOfOrder(message);
    isGreeted = true;
    clearTimeout(greeting);
    hearer.heard(message);
  };
  const orRefuse = (what: () => void) => {
    try {
      what();
    } catch (thrown) {
      const error = asLimbeckError(thrown);
      refuse(error, `it sent what cannot be understood: ${error.message}`);
    }
  };
  stream.on("data", (said: FromWorker__Output) => {
    if (isOver) return; // What it said after it was refused was on its way.
    orRefuse(() => {
      const message = understand(said);
      const waitMs = kept.has(message.kind) ? pace.take(performance.now()) : 0;
      if (waitMs === 0) return hear(message);
      stream.pause();
      held = setTimeout(() => {
        orRefuse(() => hear(message));
        stream.resume();
      }, waitMs);
    });
  });
  const broken = () => over("its session broke off");
  stream.on("end", () => {
    broken();
    stream.end();
  });
  stream.on("cancelled", broken);
  stream.on("error", broken);
  return refuse;
}

/** By a second hello in one session it would be two workers. */
function outOfOrder({ kind }: WorkerMessage): LimbeckError {
  const why =
    kind === "hello" ? "a second hello came in one session" : `a session began with ${kind}, not with a hello`;
  return new LimbeckError("corrupt", why);
}
