/** The only coordinator, with its journal in a folder; it takes its time to write. */
import type { JournalRecord } from "../../coordinator/journalrecord.ts";
import { replay } from "../../coordinator/replay.ts";
import type { Outcome, State } from "../../coordinator/state.ts";
import type { Life } from "./clock.ts";
import { JobRun } from "./jobrun.ts";
import { Sessions } from "./sessions.ts";
import { between, type World, whole } from "./world.ts";

export class CoordinatorProcess {
  readonly name: string;
  readonly life: Life;
  readonly #job: JobRun;

  /** @param journal on disk: it outlives the process */
  constructor(world: World, life: Life, { name, journal, ended }: CoordinatorParts) {
    const { clock, scene, random, invariants } = world;
    const skewMs = whole(random, -3_000, 3_000) + 1_000_000;
    const nowMs = () => Math.round(clock.nowMs) + skewMs;
    const sessions = new Sessions();
    this.name = name;
    this.life = life;
    if (journal.length === 0) journal.push({ kind: "started", atMs: nowMs(), build: scene.plan.build });
    // Only what can be read back is there.
    const records = JSON.parse(JSON.stringify(journal)) as JournalRecord[];
    const shell = {
      name,
      life,
      rate: 1,
      nowMs,
      mayDecide: (then: () => void) => then(),
      append(record: JournalRecord, then: () => void) {
        // A crash meanwhile: the record is on disk, or is not.
        if (random() < 0.5) journal.push(record);
        clock.after(between(random, 0.5, 6), life, () => {
          if (journal.at(-1) !== record) journal.push(record);
          then();
        });
        if (record.kind === "finished") invariants.finished(record);
      },
      send: sessions.send,
      refuse: sessions.refuse,
      ended,
    };
    const job = new JobRun(world, shell, replay(scene.plan, records, nowMs(), world.announced));
    this.#job = job;
    // The shell's business: the report is written, nobody is needed any more.
    if (records.some(({ kind }) => kind === "ended")) clock.after(0, life, () => ended("done"));
    world.network.listen(name, life, (end) => sessions.accept(end, (happening) => job.happen(happening)));
  }

  get state(): State {
    return this.#job.state;
  }

  get why(): string {
    return this.#job.why;
  }
}

export interface CoordinatorParts {
  readonly name: string;
  readonly journal: JournalRecord[];
  ended(outcome: Outcome | "done"): void;
}
