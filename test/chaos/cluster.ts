/** A coordinator and workers as real processes of the command line, with networks that can fail between them. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type Child, type Ended, endChildren, startChild } from "../../cli/children.ts";
import type { ProgressEvent } from "../../core/events.ts";
import type { Report } from "../../core/report.ts";
import { freePort } from "../freeport.ts";
import { type Address, FaultyLink } from "./proxy.ts";
import { Watch } from "./watch.ts";

export type Role = "student" | "teacher" | "auto";

export interface Member {
  readonly name: string;
  readonly role: Role;
  /** Between it and the coordinator, and between the others and it. */
  readonly links: readonly FaultyLink[];
  /** null while it is dead. */
  child: Child | null;
}

/** Of what /state says. */
interface CoordinatorStatus {
  readonly step: number;
  readonly stage: string | null;
  readonly state: string;
  readonly split: { readonly why: string } | null;
}

const text = ({ host, port }: Address) => `${host}:${port}`;
const restartMs = 500;

export class Cluster {
  readonly folder: string;
  readonly members = new Map<string, Member>();
  readonly #job: readonly string[];
  readonly #rpc: Address;
  readonly #http: Address;
  readonly #watch: Watch;
  #coordinator: Child;

  /** @param job the job file and `--set` options */
  static async start(folder: string, job: readonly string[]): Promise<Cluster> {
    return new Cluster(folder, job, [await freePort(), await freePort()]);
  }

  private constructor(folder: string, job: readonly string[], [rpc, http]: readonly [Address, Address]) {
    this.folder = folder;
    this.#job = job;
    this.#rpc = rpc;
    this.#http = http;
    this.#watch = new Watch(`${folder}.log`);
    this.#coordinator = this.#startCoordinator();
  }

  /** How processes ended that nobody had told to. */
  get surprises(): string[] {
    return this.#watch.surprises;
  }

  async join(name: string, role: Role): Promise<void> {
    const toCoordinator = await FaultyLink.open(this.#rpc);
    const listen = await freePort();
    const toMember = await FaultyLink.open(listen);
    const args = ["worker", "--role", role, "--name", name, "--coordinator", text(toCoordinator.address)];
    args.push("--listen", text(listen), "--advertise", text(toMember.address));
    const member: Member = { name, role, links: [toCoordinator, toMember], child: null };
    this.members.set(name, member);
    this.#startMember(member, args);
  }

  /** Those that run, in the order of their names. */
  living(role?: Role): Member[] {
    const living = [...this.members.values()].filter((each) => each.child && (!role || each.role === role));
    return living.sort((one, other) => (one.name < other.name ? -1 : 1));
  }

  /** SIGKILL, and another life `afterMs` later. */
  async kill(member: Member, afterMs: number): Promise<void> {
    await this.#end(member, "SIGKILL");
    await sleep(afterMs);
    await this.#again(member);
  }

  /** SIGTERM, which it must follow with exit code 0 within 10 s, and another life `afterMs` later. */
  async terminate(member: Member, afterMs: number): Promise<void> {
    await this.remove(member);
    await sleep(afterMs);
    await this.#again(member);
  }

  async remove(member: Member): Promise<void> {
    const startedMs = Date.now();
    const ended = await this.#end(member, "SIGTERM");
    const tookMs = Date.now() - startedMs;
    if (ended && (ended.exitCode !== 0 || tookMs > 10_000)) {
      this.surprises.push(`${member.name}, told to leave, ${ended.how} after ${tookMs} ms`);
    }
  }

  async killCoordinator(afterMs: number): Promise<void> {
    const child = this.#coordinator;
    this.#watch.expect(child);
    child.process.kill("SIGKILL");
    await child.ended;
    await sleep(afterMs);
    if (!this.#watch.isOver) this.#coordinator = this.#startCoordinator();
  }

  events(): ProgressEvent[] {
    return eventsIn(this.folder);
  }

  report(): Report | null {
    return reportIn(this.folder);
  }

  /** What /state says; null while there is no coordinator. */
  async state(): Promise<CoordinatorStatus | null> {
    try {
      const signal = AbortSignal.timeout(2_000);
      return (await (await fetch(`http://${text(this.#http)}/state`, { signal })).json()) as CoordinatorStatus;
    } catch {
      return null;
    }
  }

  async close(): Promise<void> {
    this.#watch.end();
    const children = [this.#coordinator, ...this.living().map(({ child }) => child!)];
    for (const child of children) {
      this.#watch.expect(child);
      child.process.kill("SIGCONT");
    }
    await endChildren(children, 10_000);
    for (const { links } of this.members.values()) for (const link of links) await link.close();
    this.#watch.close();
  }

  #startCoordinator(): Child {
    const ports = ["--listen", text(this.#rpc), "--http", text(this.#http), "--state", this.folder];
    const child = this.#start("coordinator", ["coordinator", ...this.#job, ...ports]);
    void child.ended.then((ended) => {
      if (this.#watch.isExpected(child) || ended.exitCode === 0) return;
      this.surprises.push(`the coordinator ${ended.how}`);
      if (this.report() === null && ended.failure === null) this.#coordinator = this.#startCoordinator();
    });
    return child;
  }

  readonly #arguments = new Map<string, readonly string[]>();

  #startMember(member: Member, args: readonly string[]): void {
    this.#arguments.set(member.name, args);
    const child = this.#start(member.name, args);
    member.child = child;
    void child.ended.then(async (ended) => {
      if (member.child === child) member.child = null;
      // Once the job is over, all are told to stop.
      if (this.#watch.isExpected(child) || ended.exitCode === 0) return;
      this.surprises.push(`${member.name} ${ended.how}`);
      await sleep(restartMs);
      await this.#again(member);
    });
  }

  async #again(member: Member): Promise<void> {
    if (this.#watch.isOver || member.child || this.report()) return;
    this.#startMember(member, this.#arguments.get(member.name)!);
  }

  async #end(member: Member, signal: NodeJS.Signals): Promise<Ended | null> {
    const child = member.child;
    if (!child) return null;
    this.#watch.expect(child);
    child.process.kill(signal);
    const ended = await child.ended;
    if (member.child === child) member.child = null;
    return ended;
  }

  #start(name: string, args: readonly string[]): Child {
    const hear = (said: string) => this.#watch.note(name, said);
    const child = startChild(name, args, { hear });
    void child.ended.then(({ how }) => hear(`(${how.split("\n")[0]})`));
    return child;
  }
}

/** Whole lines only: a process may be writing the last one. */
export function eventsIn(folder: string): ProgressEvent[] {
  const file = join(folder, "events.jsonl");
  if (!existsSync(file)) return [];
  const lines = readFileSync(file, "utf8").split("\n").slice(0, -1);
  return lines.map((line) => JSON.parse(line) as ProgressEvent);
}

/** null before the job is finished. */
export function reportIn(folder: string): Report | null {
  const file = join(folder, "report.json");
  return existsSync(file) ? (JSON.parse(readFileSync(file, "utf8")) as Report) : null;
}
