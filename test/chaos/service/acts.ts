/** What a service decided, for test/history.ts: from its journals, from what its coordinators recorded, and from its workers' logs. */
import { consumerOpts, type JsMsg, type NatsConnection } from "nats";
import type { JournalRecord } from "../../../coordinator/journalrecord.ts";
import { type EntryKind, entryHeader, newAssembly, partFrom } from "../../../coordinator/nats/entry.ts";
import { idHeader } from "../../../coordinator/nats/publish.ts";
import type { ServiceRecord } from "../../../coordinator/service/vocabulary.ts";
import { journalStream, journalSubject, usualCluster } from "../../../proto/cluster.ts";
import { decisionsOf } from "../../decisions.ts";
import { type Act, type Decision, type Led, type Written, wrongIn } from "../../history.ts";
import { wrongInQueue } from "../../queuehistory.ts";
import type { Recorded } from "./recorded.ts";
import type { WorkerLine } from "./workers.ts";

/** A whole entry of a journal, as it lies in the stream. */
export interface JournalEntry {
  readonly kind: EntryKind;
  readonly fence: number;
  readonly sequence: number;
  readonly atMs: number;
  /** Of its message, given by who wrote it. */
  readonly id: string;
  readonly text: string;
}

/** All there is under the name; none where nothing was written. */
export async function journalEntries(connection: NatsConnection, name: string): Promise<JournalEntry[]> {
  const assembly = newAssembly();
  return (await messagesOf(connection, journalSubject(usualCluster, name))).flatMap((message) => {
    const header = (key: string) => message.headers?.get(key) ?? "";
    const entry = assembly.add(partFrom(header(entryHeader), message.data));
    if (!entry) return [];
    // The logs' times have no fractions.
    const atMs = Math.floor(message.info.timestampNanos / 1e6);
    return [{ ...entry, sequence: message.seq, atMs, id: header(idHeader) }];
  });
}

async function messagesOf(connection: NatsConnection, subject: string): Promise<JsMsg[]> {
  const stream = journalStream(usualCluster);
  const manager = await connection.jetstreamManager({ checkAPI: false });
  const last = await manager.streams.getMessage(stream, { last_by_subj: subject }).catch(() => null);
  if (!last) return [];
  const options = consumerOpts();
  options.orderedConsumer();
  options.bindStream(stream);
  const messages: JsMsg[] = [];
  for await (const message of await connection.jetstream().subscribe(subject, options)) {
    messages.push(message);
    if (message.seq >= last.seq) break;
  }
  return messages;
}

export interface Witnesses {
  /** Of a job's journal. */
  readonly entries: readonly JournalEntry[];
  /** Of the service's journal. */
  readonly queue: readonly JournalEntry[];
  readonly records: readonly Recorded[];
  readonly lines: readonly WorkerLine[];
}

function journalActs(
  entries: readonly JournalEntry[],
  records: readonly Recorded[],
  decisions: (text: string) => Decision[],
): Act[] {
  const names = new Map(records.map(({ fence, coordinator }) => [fence, coordinator]));
  return entries.flatMap((entry): Act[] => {
    const { kind, fence, sequence, atMs, id, text } = entry;
    const by = { coordinator: names.get(fence) ?? "nobody that is known", fence, sequence, atMs };
    // Who leads had read all that stands before: the append was conditional on that.
    if (kind === "led") return [{ kind: "led", ...by } satisfies Led, { kind: "opened", ...by }];
    if (kind === "snapshot") return [];
    return [{ kind: "written", ...by, id, decisions: decisions(text) } satisfies Written];
  });
}

/** A snapshot stands for all that was before it, and what was before it may be there yet. */
function serviceRecords(queue: readonly JournalEntry[]): ServiceRecord[] {
  const from = queue.findLastIndex(({ kind }) => kind === "snapshot");
  return queue.slice(Math.max(0, from)).flatMap(({ kind, text }): ServiceRecord[] => {
    if (kind === "led") return [];
    return kind === "snapshot" ? (JSON.parse(text) as ServiceRecord[]) : [JSON.parse(text) as ServiceRecord];
  });
}

/** A leader might decide between the first and the last time that it found so. */
function recordedActs(records: readonly Recorded[]): Act[] {
  const spans = new Map<number, { readonly coordinator: string; fromMs: number; toMs: number }>();
  const acts: Act[] = [];
  for (const { kind, coordinator, fence, atMs } of records) {
    if (kind === "left") acts.push({ kind: "left", coordinator, fence, atMs });
    if (kind !== "decided") continue;
    const span = spans.get(fence) ?? { coordinator, fromMs: atMs, toMs: atMs };
    spans.set(fence, { ...span, toMs: Math.max(span.toMs, atMs) });
  }
  for (const [fence, span] of spans) acts.push({ kind: "may", fence, ...span });
  return acts;
}

function heardActs(lines: readonly WorkerLine[]): Act[] {
  const leaders = new Map<string, number>();
  return lines.flatMap((line): Act[] => {
    const { worker, atMs, event, term } = line;
    if (event === "leader") leaders.set(worker, line.fence!);
    const fence = leaders.get(worker) ?? 0;
    const kind = { leader: "leader", prepare: "term", "stand-by": "term", train: "begun", "catch-up": "begun" }[event];
    if (kind === undefined) return [];
    const decision: Decision | null = kind === "leader" ? null : { kind, term, what: "" };
    return [{ kind: "heard", worker, fence, atMs, decision }];
  });
}

/** A worker's log tells that a term was opened or begun, not with whom. */
function comparable(decision: Decision): Decision[] {
  const { kind, term } = decision;
  return kind === "term" || kind === "begun" ? [{ kind, term, what: "" }] : [decision];
}

export interface Checked {
  /** In words; empty where all is right. */
  readonly wrong: readonly string[];
  readonly entries: number;
  readonly leaders: number;
  readonly terms: number;
  /** Decisions that stand in the journal more than once. */
  readonly twice: readonly string[];
  /** Entries of a leader after the first of a newer one, and orders of one that workers obeyed: of their kind in `wrong`. */
  readonly ofOldLeaders: number;
}

/** Of what is decided once; a stage is over once in a term, and may be done again where all who had its weights died. */
function namesOf(written: readonly Decision[]): string[] {
  let inTerm = 0;
  return written.flatMap(({ kind, term, what }) => {
    inTerm = term ?? inTerm;
    if (kind === "finished") return [`finished ${what} in term ${inTerm}`];
    const isOnce = ["term", "begun", "exported", "ended"].includes(kind);
    return isOnce ? [[kind, term ?? what].join(" ").trim()] : [];
  });
}

/** Checks a job's history. Worker lines of other jobs must not be among them: a term's number is the job's. */
export function check({ entries, queue, records, lines }: Witnesses): Checked {
  const decided = (text: string) => decisionsOf(JSON.parse(text) as JournalRecord).flatMap(comparable);
  const journal = journalActs(entries, records, decided);
  const written = journal.flatMap((act) => (act.kind === "written" ? act.decisions : []));
  const names = namesOf(written);
  const ofService = [...wrongIn(journalActs(queue, records, () => [])), ...wrongInQueue(serviceRecords(queue))];
  const inQueue = ofService.map((each) => `the service's journal: ${each}`);
  const wrong = [...wrongIn([...journal, ...recordedActs(records), ...heardActs(lines)]), ...inQueue];
  return {
    wrong,
    entries: entries.length,
    leaders: new Set(entries.map(({ fence }) => fence)).size,
    terms: written.filter(({ kind }) => kind === "term").length,
    twice: [...new Set(names.filter((name, at) => names.indexOf(name) !== at))],
    ofOldLeaders: wrong.filter((each) => /fences go back|stands where|obeyed leader/.test(each)).length,
  };
}
