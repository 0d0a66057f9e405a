/** The teachers that a student may ask in a term: whom next and, where none can be asked, how long that is waited for. */
import { setTimeout } from "node:timers/promises";
import { LimbeckError } from "../../core/errors.ts";
import type { Calling } from "../../proto/wire.ts";
import { LostTeacher, type TeacherAddress, TeacherLink } from "./link.ts";
import type { Standing } from "./source.ts";

export interface TeachersSettings {
  readonly term: number;
  /** What they serve, as the job names it; "teacher" for the whole. */
  readonly field: string;
  /** What to do where no teacher is left: wait for one, or fail. */
  readonly onNoTeacher: "wait" | "fail";
  /** In [0, 1): spreads what is tried again. */
  readonly random: () => number;
  /** How teachers are called. */
  readonly calling?: Calling;
  /** Told of a teacher that broke off and cannot be reached again, or did not answer in time. */
  onLost?(worker: string, why: string): void;
}

/** Between two looks whether a teacher is back, where none says when. */
const longestNapMs = 250;
/** Seconds an example takes, where no teacher has shown it: only their order matters. */
const unknownPace = 1e-3;

export class Teachers {
  readonly #settings: TeachersSettings;
  #links: readonly TeacherLink[] = [];
  /** Requests that nobody can be asked for. */
  #stranded = 0;

  constructor(settings: TeachersSettings) {
    this.#settings = settings;
  }

  /** From now on. What is owed by one that is not among them is rejected as of a LostTeacher. */
  are(teachers: readonly TeacherAddress[]): void {
    const { term, onLost } = this.#settings;
    const broke = ({ worker, breaks }: TeacherLink, why: LimbeckError) => {
      // A stream that broke once may only have broken: who does not come back either is lost.
      if (breaks === 2 || why.code === "timeout") onLost?.(worker, why.message);
    };
    const before = this.#links;
    this.#links = teachers.map(
      (teacher) => before.find((link) => link.reaches(teacher)) ?? new TeacherLink(teacher, broke, this.#settings),
    );
    for (const link of before) {
      if (this.#links.includes(link)) continue;
      link.close(new LostTeacher("lost_worker", `${link.worker} does not serve in term ${term} any more`));
    }
  }

  /** Who is expected to have answered first, of those that may be asked; null where none may. */
  soonest(examples: number, except?: TeacherLink): TeacherLink | null {
    const nowMs = performance.now();
    const able = this.#links.filter((link) => link !== except && link.breaker.allows(nowMs));
    const paces = this.#links.flatMap(({ pace }) => pace ?? []);
    const otherwise = paces.length > 0 ? Math.min(...paces) : unknownPace;
    let [best, least]: [TeacherLink | null, number] = [null, Number.POSITIVE_INFINITY];
    for (const link of able) {
      const seconds = link.expectedSeconds(examples, otherwise);
      if (seconds < least) [best, least] = [link, seconds];
    }
    return best;
  }

  /**
   * Waits until a teacher may be tried again.
   * @throws the signal's reason; unavailable or server_away where the job says not to wait
   */
  async strand(signal: AbortSignal): Promise<TeacherLink> {
    const { onNoTeacher, term } = this.#settings;
    if (onNoTeacher === "fail") {
      const [code, why] = this.#away
        ? (["server_away", `no ${this.#whom} can answer now: ${this.#away}`] as const)
        : (["unavailable", `no ${this.#whom} is left in term ${term}`] as const);
      throw new LimbeckError(code, `${why}, and the job says softTargets.onNoTeacher: fail`);
    }
    this.#stranded += 1;
    try {
      for (;;) {
        const reopens = this.#links.map(({ breaker }) => breaker.openUntilMs - performance.now());
        const napMs = Math.min(Math.max(Math.min(...reopens), 1), longestNapMs);
        await setTimeout(napMs, undefined, { signal }).catch(() => {});
        signal.throwIfAborted();
        const back = this.soonest(0);
        if (back) return back;
      }
    } finally {
      this.#stranded -= 1;
    }
  }

  /** Whose answers are awaited, in words; empty where none are (L7). */
  get waitingFor(): string {
    if (this.#stranded > 0) return `a ${this.#whom}: ${this.#away || `none is left in term ${this.#settings.term}`}`;
    const busy = this.#links.filter(({ owed }) => owed > 0);
    return busy.map(({ worker, owed }) => `${owed} answers of ${worker}`).join(", ");
  }

  get standing(): Standing {
    const breakers = { closed: 0, half_open: 0, open: 0 };
    const nowMs = performance.now();
    for (const { breaker } of this.#links) breakers[breaker.state(nowMs)] += 1;
    return { awaited: this.#links.reduce((sum, { owed }) => sum + owed, 0), stranded: this.#stranded, breakers };
  }

  /** Something is asked for that no teacher is left to answer. */
  get isStranded(): boolean {
    return this.#stranded > 0 && this.#away === "";
  }

  /** Something is asked for that nobody can answer before a server is back that a teacher asks. */
  get isServerAway(): boolean {
    return this.#stranded > 0 && this.#away !== "";
  }

  /** What they owe is rejected. */
  close(why: LimbeckError): void {
    for (const link of this.#links) link.close(why);
  }

  get #whom(): string {
    const { field } = this.#settings;
    return field === "teacher" ? field : `teacher for ${field}`;
  }

  /** What teachers that cannot answer now say; empty where none does. */
  get #away(): string {
    return this.#links.flatMap(({ away }) => away || []).join("; ");
  }
}
