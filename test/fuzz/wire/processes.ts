/** Real processes of the command line under attack: whether they live, how large they are, what they said. */
import { readdirSync, readFileSync } from "node:fs";
import { againCode, type Child, endChildren, startChild } from "../../../cli/children.ts";

/** What a process says that has lost its way; a user's or a caller's mistake is never told so. */
const lost = /uncaught|unhandled|heap out of memory|FATAL ERROR|(\n|\\n)\s+at (\S+ )*\(?\S+:\d+:\d+\)?/i;
const keptText = 200_000;

export class Processes {
  readonly #children = new Map<string, Child>();
  readonly #said = new Map<string, string>();
  readonly #isOver = new Set<string>();
  /** How processes ended that nobody had told to. */
  readonly surprises: string[] = [];

  /** @param args of the command line */
  start(name: string, args: readonly string[], env: Readonly<Record<string, string>> = {}): void {
    const hear = (text: string) => this.#said.set(name, ((this.#said.get(name) ?? "") + text).slice(-keptText));
    const child = startChild(name, args, { hear, hearLog: hear, env });
    this.#children.set(name, child);
    void child.ended.then(({ exitCode, how }) => {
      this.#children.delete(name);
      // A worker's process that has done one job of a service makes room for the next.
      const isWell = exitCode === 0 || exitCode === againCode;
      if (!isWell && !this.#isOver.has(name)) this.surprises.push(`${name} ${how}`);
    });
  }

  said(name: string): string {
    return this.#said.get(name) ?? "";
  }

  /** What is in no log of a process that is well. */
  get losses(): string[] {
    return [...this.#said].flatMap(([name, text]) => {
      const found = lost.exec(text);
      return found ? [`${name} said: ${text.slice(Math.max(0, found.index - 300), found.index + 600)}`] : [];
    });
  }

  isAlive(name: string): boolean {
    return this.#children.has(name);
  }

  /** Resident megabytes by process, its children added. */
  megabytes(): Record<string, number> {
    const all = [...this.#children].map(([name, { process }]) => [name, familyOf(process.pid!).reduce(adding, 0)]);
    return Object.fromEntries(all);
  }

  /** Open files by process, connections among them. */
  files(): Record<string, number> {
    const count = (pid: number) => orNothing(() => readdirSync(`/proc/${pid}/fd`).length);
    return Object.fromEntries([...this.#children].map(([name, { process }]) => [name, count(process.pid!)]));
  }

  async close(): Promise<void> {
    for (const name of this.#children.keys()) this.#isOver.add(name);
    await endChildren([...this.#children.values()], 10_000);
  }
}

function familyOf(pid: number): number[] {
  const children = orNothing(() => readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8")) || "";
  return [pid, ...children.trim().split(" ").filter(Boolean).map(Number).flatMap(familyOf)];
}

function adding(sum: number, pid: number): number {
  const [, kilobytes = "0"] =
    /VmRSS:\s+(\d+)/.exec(orNothing(() => readFileSync(`/proc/${pid}/status`, "utf8")) || "") ?? [];
  return sum + Math.round(Number(kilobytes) / 1_024);
}

/** Of a process that has gone meanwhile. */
function orNothing<T extends string | number>(read: () => T): T | 0 {
  try {
    return read();
  } catch {
    return 0;
  }
}
