/** A line to each teacher of a term, on the path that training takes, so that one can be asked rather than another. */
import type { SoftTargetSource } from "../softtargets/client.ts";
import type { SoftTargetKey } from "../softtargets/provenance.ts";
import { groupsOf, openSoftTargets, type SourceSettings } from "../softtargets/source.ts";

export interface TeacherLine {
  /** Who answers; several names where they serve the members of an ensemble. */
  readonly worker: string;
  /** Logits [examples, classes] under the view of the epoch. Rejects as SoftTargetSource.request does. */
  ask(examples: Uint32Array, epoch: number, signal: AbortSignal): Promise<Float32Array>;
}

export class TeacherLines {
  readonly all: readonly TeacherLine[];
  readonly #sources: readonly SoftTargetSource[];

  constructor(settings: SourceSettings, keyOf: (examples: Uint32Array, epoch: number) => SoftTargetKey) {
    // All logits: what is judged is the teacher, not what a format keeps of it.
    const format = settings.format.kind === "float32" ? settings.format : ({ kind: "float16" } as const);
    const groups = groupsOf(settings.job, settings.teachers);
    this.#sources = groups.map((teachers) => openSoftTargets({ ...settings, format, teachers }));
    this.all = groups.map((teachers, at) => ({
      worker: teachers.map(({ worker }) => worker).join(" and "),
      ask: (examples, epoch, signal) => this.#sources[at]!.request(keyOf(examples, epoch), signal),
    }));
  }

  /** The teachers whose answers are awaited, in words; empty where none (L7). */
  get waitingFor(): string {
    return this.#sources.flatMap(({ waitingFor }) => waitingFor || []).join(", ");
  }

  close(): void {
    for (const source of this.#sources) source.close();
  }
}
