/** A line to each teacher of a term, on the path that training takes, so that one can be asked rather than another. */
import { LimbeckError } from "../../core/errors.ts";
import { groupsOf, openSoftTargets, type SourceSettings } from "../softtargets/open.ts";
import type { SoftTargetKey } from "../softtargets/provenance.ts";
import type { SoftTargetSource } from "../softtargets/source.ts";

export interface TeacherLine {
  /** Who answers; several names where they serve the members of an ensemble. */
  readonly worker: string;
  /** Logits [examples, classes] under the view of the epoch. Rejects as SoftTargetSource.request does. */
  ask(examples: Uint32Array, epoch: number, signal: AbortSignal): Promise<Float32Array>;
}

type KeyOf = (examples: Uint32Array, epoch: number) => SoftTargetKey;

export class TeacherLines {
  #settings: SourceSettings;
  readonly #keyOf: KeyOf;
  #sources: readonly SoftTargetSource[] = [];
  #all: readonly TeacherLine[] = [];
  #changed = new AbortController();

  constructor(settings: SourceSettings, keyOf: KeyOf) {
    // All logits: what is judged is the teacher, not what a format keeps of it.
    const format = settings.format.kind === "float32" ? settings.format : ({ kind: "float16" } as const);
    this.#settings = { ...settings, format };
    this.#keyOf = keyOf;
    this.#open();
  }

  get all(): readonly TeacherLine[] {
    return this.#all;
  }

  /** Aborted when other teachers come, or some go: what is asked of them then fails, and is to be asked of those. */
  get changed(): AbortSignal {
    return this.#changed.signal;
  }

  /** Lines are made anew, unless these are the teachers that there are. */
  teachersAre(teachers: SourceSettings["teachers"]): void {
    const named = (some: SourceSettings["teachers"]) =>
      some.map(({ worker, address, part }) => `${worker} ${address} ${part}`).join();
    if (named(teachers) === named(this.#settings.teachers)) return;
    const before = this.#changed;
    this.#changed = new AbortController();
    before.abort(new LimbeckError("stopped", "the teachers of the term have changed"));
    this.close();
    this.#settings = { ...this.#settings, teachers };
    this.#open();
  }

  #open(): void {
    const groups = groupsOf(this.#settings.job, this.#settings.teachers);
    const sources = groups.map((some) => openSoftTargets({ ...this.#settings, teachers: some }));
    this.#sources = sources;
    this.#all = groups.map((teachers, at) => ({
      worker: teachers.map(({ worker }) => worker).join(" and "),
      ask: (examples, epoch, signal) => sources[at]!.request(this.#keyOf(examples, epoch), signal),
    }));
  }

  /** The teachers whose answers are awaited, in words; empty where none (L7). */
  get waitingFor(): string {
    return this.#sources.flatMap(({ waitingFor }) => waitingFor || []).join(", ");
  }

  /** One of them does not answer because its server does not. */
  get isServerAway(): boolean {
    return this.#sources.some(({ isServerAway }) => isServerAway);
  }

  close(): void {
    for (const source of this.#sources) source.close();
  }
}
