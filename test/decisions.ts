/** What a record of the journal decides, and what an order to a worker makes known of it, in the same words: for history.ts. */
import type { JournalRecord } from "../coordinator/journalrecord.ts";
import type { ToWorker } from "../proto/gen/limbeck/v1/ToWorker.ts";
import type { Decision } from "./history.ts";

interface Lanes {
  readonly worker?: string;
  readonly firstLane?: number;
  readonly lanes?: number;
}

export function decisionsOf(record: JournalRecord): Decision[] {
  switch (record.kind) {
    case "term": {
      const { term, stage, deal, teachers } = record;
      return [
        { kind: "term", term, what: membership(stage, deal, teachers) },
        { kind: "teachers", term, what: teachers.join() },
      ];
    }
    case "begun":
      return [{ kind: "begun", term: record.term, what: beginning(record) }];
    case "teachers":
      return [{ kind: "teachers", term: record.term, what: record.teachers.join() }];
    case "paused":
      return [{ kind: "paused", term: record.term, what: "" }];
    case "finished":
    case "exported":
      return [{ kind: record.kind, term: null, what: record.stage }];
    case "recovered":
      return [{ kind: "recovered", term: record.term, what: "" }];
    case "ended":
      return [{ kind: "ended", term: null, what: "" }];
    case "started":
    case "settled":
    case "diagnosed":
      return [];
  }
}

/** null where nothing that is written is needed for it. */
export function decisionToldBy(message: ToWorker): Decision | null {
  const term = Number(message.term);
  switch (message.body) {
    case "assign": {
      const { stage, students, teachers } = message.assign!;
      const names = teachers!.map(({ worker }) => worker!);
      return { kind: "term", term, what: membership(stage!, students!, names) };
    }
    case "begin":
      return { kind: "begun", term, what: beginning(message.begin!) };
    case "teachers":
      return { kind: "teachers", term, what: message.teachers!.teachers!.map(({ worker }) => worker!).join() };
    case "pause":
      return { kind: "paused", term, what: "" };
    case "export":
      return { kind: "finished", term: null, what: message.export!.stage! };
    case "stop":
      return message.stop!.why === "the job is done" ? { kind: "ended", term: null, what: "" } : null;
    default:
      return null;
  }
}

function membership(stage: string, deal: readonly Lanes[], teachers: readonly string[]): string {
  const dealt = deal.map(({ worker, firstLane, lanes }) => `${worker}:${firstLane}+${lanes}`);
  return `${stage} ${dealt.join()} ${teachers.join()}`;
}

interface Beginning {
  readonly step?: unknown;
  readonly sources?: readonly string[];
  readonly sumSources?: readonly string[];
}

function beginning({ step, sources = [], sumSources = [] }: Beginning): string {
  return `step ${Number(step)} from ${sources.join()} sums ${sumSources.join()}`;
}
