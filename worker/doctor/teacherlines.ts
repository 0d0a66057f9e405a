/** A line to each teacher of a term, on the path that training takes, so that one can be asked rather than another. */
import { SoftTargetClient, type SoftTargetSettings } from "../softtargets/client.ts";
import type { SoftTargetKey } from "../softtargets/provenance.ts";

export interface TeacherLine {
  readonly worker: string;
  /** Logits [examples, classes] under the view of the epoch. Rejects as SoftTargetClient.request does. */
  ask(examples: Uint32Array, epoch: number, signal: AbortSignal): Promise<Float32Array>;
}

export class TeacherLines {
  readonly all: readonly TeacherLine[];
  readonly #clients: readonly SoftTargetClient[];

  constructor(settings: SoftTargetSettings, keyOf: (examples: Uint32Array, epoch: number) => SoftTargetKey) {
    // All logits: what is judged is the teacher, not what a format keeps of it.
    const format = settings.format.kind === "float32" ? settings.format : ({ kind: "float16" } as const);
    this.#clients = settings.teachers.map((each) => new SoftTargetClient({ ...settings, format, teachers: [each] }));
    this.all = settings.teachers.map(({ worker }, at) => ({
      worker,
      ask: (examples, epoch, signal) => this.#clients[at]!.request(keyOf(examples, epoch), signal),
    }));
  }

  /** The teachers whose answers are awaited, in words; empty where none (L7). */
  get waitingFor(): string {
    return this.#clients.flatMap(({ waitingFor }) => waitingFor || []).join(", ");
  }

  /** One of them does not answer because its server does not. */
  get isServerAway(): boolean {
    return this.#clients.some(({ isServerAway }) => isServerAway);
  }

  close(): void {
    for (const client of this.#clients) client.close();
  }
}
