/** A worker's session with the coordinator that decides: hello, heartbeats, reconnecting as long as there is none. */
import type { WorkerMessage } from "../../coordinator/messages.ts";
import { LimbeckError } from "../../core/errors.ts";
import type { ToWorker } from "../../proto/gen/limbeck/v1/ToWorker.ts";
import { NotLeader } from "../../proto/notleader.ts";

import type { Timer } from "./clock.ts";
import type { End } from "./network.ts";
import { buildOfAll, datasetOf, engineOf } from "./scene.ts";
import { ping, pong } from "./sessions.ts";
import { type Asked, whereaboutsOf } from "./whereabouts.ts";
import type { WorkerProcess } from "./worker.ts";
import { between, type World } from "./world.ts";

const [firstBackoffMs, lastBackoffMs] = [100, 1_000];
const heartbeatMs = 250;
const loading = "loading the engine";
/** A coordinator that does not answer the hello. */
const greetingMs = 3_000;
/** Where nobody is known to decide. */
const redirectMs = 200;
/** gRPC's. */
const [keepaliveMs, keepaliveTimeoutMs] = [10_000, 5_000];

export class Session {
  readonly #world: World;
  readonly #worker: WorkerProcess;
  readonly #role: "student" | "teacher" | "auto";
  #instance: string;
  #end: End | null = null;
  #isWelcome = false;
  #isPrepared = false;
  #backoffMs = firstBackoffMs;
  #lives = 0;
  readonly #whereabouts: Asked;
  /** Of the leaders heard so far. */
  #fence = 0;
  #silence: Timer | null = null;

  constructor(world: World, worker: WorkerProcess, role: "student" | "teacher" | "auto") {
    this.#world = world;
    this.#worker = worker;
    this.#role = role;
    this.#instance = this.#newInstance();
    this.#whereabouts = whereaboutsOf(world, worker.life);
    world.clock.after(between(world.random, 0, 50), worker.life, () => this.#connect());
    this.#beat();
  }

  get isHeard(): boolean {
    return this.#isWelcome;
  }

  send(message: WorkerMessage): void {
    if (this.#isWelcome) this.#end!.send(message);
  }

  #newInstance(): string {
    return `${this.#worker.life.name}.${++this.#lives}`;
  }

  #connect(): void {
    const { network, clock, scene } = this.#world;
    const { name, life, state, holds } = this.#worker;
    const address = this.#whereabouts.address();
    if (address === "") {
      clock.after(redirectMs, life, () => this.#connect());
      return;
    }
    const moved = this.#whereabouts.onMoved((elsewhere) => {
      if (this.#end === end && elsewhere !== address) this.#breakOff(`the coordinator at ${elsewhere} decides now`);
    });
    const end = network.connect({ name, life }, address.split(":")[0]!, {
      data: (message) => {
        if (this.#end === end) this.#hear(message as ToWorker | typeof pong);
      },
      broken: (error) => {
        if (this.#end !== end) return;
        moved();
        this.#lost(error);
      },
    });
    this.#end = end;
    this.#isWelcome = false;
    if (scene.coordinators.length > 1) this.#keepAlive(end);
    const hello = { worker: name, role: this.#role, address: name, host: name, http: "", build: buildOfAll, pid: 1 };
    end.send({
      kind: "hello",
      term: state.term,
      ...hello,
      instance: this.#instance,
      holds,
      job: "",
      life: "",
    } satisfies WorkerMessage);
    clock.after(greetingMs, life, () => {
      if (this.#end !== end || this.#isWelcome) return;
      end.close();
      this.#whereabouts.tried("");
      this.#again();
    });
  }

  /** Who stands still answers nothing, and its stream is whole. */
  #keepAlive(end: End): void {
    const { clock } = this.#world;
    const { life } = this.#worker;
    clock.after(keepaliveMs, life, () => {
      if (this.#end !== end) return;
      end.send(ping);
      this.#silence?.cancel();
      this.#silence = clock.after(keepaliveTimeoutMs, life, () => {
        if (this.#end === end) this.#breakOff("it does not answer");
      });
      this.#keepAlive(end);
    });
  }

  #breakOff(why: string): void {
    this.#end?.close();
    this.#lost(new LimbeckError("unavailable", why));
  }

  #hear(message: ToWorker | typeof pong): void {
    const { story, code, invariants } = this.#world;
    const worker = this.#worker;
    if (message === pong) {
      this.#silence?.cancel();
      return;
    }
    const fence = Number(message.fence ?? 0);
    if (!code.isHeeded(this.#fence, fence)) {
      this.#breakOff(`leader ${fence} has been replaced by ${this.#fence}`);
      return;
    }
    this.#fence = fence;
    invariants.heard(worker, message);
    if (message.body !== "welcome") {
      story.tell(worker.name, () => `hears ${message.body} of term ${message.term}`);
      worker.hear(message);
      return;
    }
    const { rejoined } = message.welcome!;
    story.tell(worker.name, () => `is welcome ${rejoined ? "back" : ""} as ${this.#instance}`);
    this.#isWelcome = true;
    this.#backoffMs = firstBackoffMs;
    if (!rejoined && worker.state.term > 0) worker.fence("the coordinator takes it for new");
    const prepared = () => {
      this.#isPrepared = true;
      if (worker.doing === loading) worker.doing = "waiting for work";
      this.send({
        kind: "prepared",
        term: worker.state.term,
        engine: engineOf,
        dataset: datasetOf(this.#world.scene),
        noDataset: "",
      });
      if (rejoined) worker.tellAgain();
    };
    if (this.#isPrepared) {
      prepared();
      return;
    }
    worker.doing = loading;
    const end = this.#end;
    this.#world.clock.after(between(this.#world.random, 50, 400), worker.life, () => {
      if (this.#end === end && this.#isWelcome) prepared();
      this.#isPrepared = true;
    });
  }

  #lost(error: LimbeckError): void {
    const worker = this.#worker;
    this.#world.story.tell(worker.name, () => `session over: ${error.code}: ${error.message}`);
    const wasWelcome = this.#isWelcome;
    this.#end = null;
    this.#isWelcome = false;
    if (error instanceof NotLeader) {
      this.#whereabouts.tried(error.leader);
      this.#world.clock.after(error.leader ? 0 : redirectMs, worker.life, () => this.#connect());
      return;
    }
    if (!wasWelcome) this.#whereabouts.tried("");
    if (error.code === "stale_term") {
      this.#instance = this.#newInstance();
      worker.fence(error.message);
    } else if (error.code !== "unavailable") {
      worker.exit(error.code === "usage" ? 2 : 1, error.message);
      return;
    }
    this.#again();
  }

  #again(): void {
    const { clock } = this.#world;
    this.#end = null;
    clock.after(this.#backoffMs, this.#worker.life, () => this.#connect());
    this.#backoffMs = Math.min(2 * this.#backoffMs, lastBackoffMs);
  }

  #beat(): void {
    const worker = this.#worker;
    this.#world.clock.after(heartbeatMs, worker.life, () => {
      const { doing } = worker;
      const step = worker.replica?.step ?? 0;
      const { term } = worker.state;
      const status = { doing, waitingFor: worker.waiting(), step, residentBytes: 1 };
      this.send({
        kind: "heartbeat",
        term,
        ...status,
        ...worker.serving,
        needsTeacher: worker.needsTeacher,
        serverAway: false,
      });
      this.#world.invariants.waits(worker);
      this.#beat();
    });
  }
}
