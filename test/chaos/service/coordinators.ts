/** The coordinators of a service, each a process that can be killed and started again, and what they recorded. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { packagePath } from "../../../proto/package.ts";
import type { Watch } from "../watch.ts";
import type { Recorded } from "./recorded.ts";

export interface Coordinator {
  readonly name: string;
  /** host:port */
  readonly rpc: string;
  readonly http: string;
  process: ChildProcess | null;
}

export interface CoordinatorsSettings {
  readonly all: readonly Coordinator[];
  /** Their state and records lie in it. */
  readonly folder: string;
  readonly natsUrls: readonly string[];
}

export class Coordinators {
  readonly all: readonly Coordinator[];
  readonly #watch: Watch;
  readonly #folder: string;
  readonly #natsUrls: readonly string[];

  constructor(watch: Watch, { all, folder, natsUrls }: CoordinatorsSettings) {
    this.#watch = watch;
    this.all = all;
    this.#folder = folder;
    this.#natsUrls = natsUrls;
  }

  /** And again whenever it ends by itself. */
  start(coordinator: Coordinator): void {
    const watch = this.#watch;
    if (watch.isOver || coordinator.process) return;
    const { name, rpc, http } = coordinator;
    const entry = packagePath("dist/test/chaos/service/coordinator.js");
    const args = [name, join(this.#folder, "state"), rpc, http, this.#natsUrls.join(), this.#recordOf(name)];
    const child = spawn(process.execPath, ["--enable-source-maps", entry, ...args], {
      stdio: ["ignore", "pipe", "pipe"],
    });
    coordinator.process = child;
    for (const stream of [child.stdout!, child.stderr!])
      stream.setEncoding("utf8").on("data", (text: string) => watch.note(name, text));
    child.once("exit", (code, signal) => {
      if (coordinator.process === child) coordinator.process = null;
      watch.note(name, `(${signal ?? code})`);
      if (watch.isExpected(child)) return;
      watch.surprises.push(`${name} ended: ${signal ?? `code ${code}`}`);
      this.start(coordinator);
    });
  }

  /** SIGKILL; resolves when it is gone. */
  async kill({ process: child }: Coordinator): Promise<void> {
    if (!child) return;
    this.#watch.expect(child);
    const gone = once(child, "exit");
    child.kill("SIGKILL");
    await gone;
  }

  /** All that was recorded, in the order of the coordinators. */
  records(): Recorded[] {
    return this.all.flatMap(({ name }) => {
      const file = this.#recordOf(name);
      if (!existsSync(file)) return [];
      const lines = readFileSync(file, "utf8").split("\n").slice(0, -1);
      return lines.map((line) => JSON.parse(line) as Recorded);
    });
  }

  /** The newest leader, where it lives. */
  leader(): { readonly coordinator: Coordinator; readonly fence: number } | null {
    const newest = this.records().reduce<Recorded | null>(
      (found, record) => (found && found.fence >= record.fence ? found : record),
      null,
    );
    const coordinator = this.all.find(
      ({ name, process: child }) => child && newest?.coordinator === `${name} (${child.pid})`,
    );
    return coordinator ? { coordinator, fence: newest!.fence } : null;
  }

  async close(): Promise<void> {
    for (const coordinator of this.all) await this.kill(coordinator);
  }

  #recordOf(name: string): string {
    return join(this.#folder, `${name}.record`);
  }
}
