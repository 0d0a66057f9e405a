/**
 * Protocol stories: text files of blocks, each some happenings, `----`, and what the coordinator does about them.
 * `REWRITE=1` writes what it did into the file instead, to be read before it is kept.
 *
 *     job students=2 teachers=1        the first line: the job
 *     hello NAME ROLE                  NAME=VALUE changes a default, @MS sets the clock, "quotes" keep blanks together
 *     cast NAME NAME                   they join, get prepared and ready; names in t are teachers', in a auto. Not told
 *     calm @MS                         nothing happens until then: heartbeats and ticks; `silent=NAME` is not heard
 *     restart                          the coordinator dies and is started again on its journal and its events
 *     wait                             shows what is waited for, and why
 */

import { open } from "../../coordinator/gather.ts";
import type { JournalRecord } from "../../coordinator/journalrecord.ts";
import { replay } from "../../coordinator/replay.ts";
import type { Effect, Event, Happening, Next, Plan, State } from "../../coordinator/state.ts";
import { step } from "../../coordinator/step.ts";
import { waitOf } from "../../coordinator/waiting.ts";
import { LimbeckError, type LimbeckErrorCode } from "../../core/errors.ts";
import type { ProgressEvent } from "../../core/events.ts";
import type { Job } from "../../core/job.ts";
import { isApart } from "../../core/teacherparts.ts";
import type { ToWorker } from "../../proto/gen/limbeck/v1/ToWorker.ts";
import { testJob, testPlan } from "../coordinator/jobs.ts";
import { messageOf } from "./speech.ts";

export interface Line {
  readonly verb: string;
  readonly words: readonly string[];
  readonly values: Readonly<Record<string, string>>;
}

/** Runs a story's text and returns it with what really happened in place of what was expected. */
export function tell(text: string): string {
  const [head = "", ...blocks] = text.trimEnd().split(/\n\n+/);
  const story = new Story(head);
  const told = blocks.map((block) => {
    const [input = ""] = block.split("\n----");
    const lines = input.split("\n").filter((line) => line.trim() !== "" && !line.startsWith("#"));
    return [input, "----", ...lines.flatMap((line) => story.hear(parse(line)))].join("\n");
  });
  return `${[head, ...told].join("\n\n")}\n`;
}

function parse(line: string): Line {
  const tokens = [...line.matchAll(/(?:[^\s"]|"[^"]*")+/g)].map(([token]) => token.replaceAll('"', ""));
  const pairs = tokens.flatMap((token) => {
    const at = /^@(\d+)$/.exec(token);
    if (at) return [["at", at[1]!]];
    const [, key, value] = /^([a-zA-Z]+)=(.*)$/s.exec(token) ?? [];
    return key === undefined ? [] : [[key, value!]];
  });
  const words = tokens.filter((token) => !/^@\d+$|^[a-zA-Z]+=/.test(token));
  return { verb: words[0] ?? "", words: words.slice(1), values: Object.fromEntries(pairs) };
}

class Story {
  readonly #plan: Plan;
  #state: State;
  #atMs = 0;
  readonly #sessions = new Map<string, number>();
  #opened = 0;
  readonly #journal: JournalRecord[] = [];
  readonly #events: ProgressEvent[] = [];

  constructor(head: string) {
    const jobLine = head.split("\n").find((line) => line.startsWith("job"));
    if (!jobLine) throw new Error("a story begins with a line that says its job");
    this.#plan = testPlan(jobOf(parse(jobLine)));
    this.#state = open(this.#plan, 0)[0];
  }

  hear(line: Line): string[] {
    const before = this.#atMs;
    this.#atMs = Number(line.values["at"] ?? before);
    if (line.verb === "calm") return this.#calm(before, this.#atMs, line.values["silent"]);
    if (line.verb === "wait") return [this.#waiting()];
    if (line.verb === "cast") return this.#cast(line.words);
    if (line.verb === "restart") return this.#restart();
    if (line.verb === "hello") this.#sessions.set(line.words[0]!, ++this.#opened);
    return this.#step({ ...this.#happening(line), atMs: this.#atMs });
  }

  #cast(names: readonly string[]): string[] {
    const roleOf = (name: string) => ({ t: "teacher", a: "auto" })[name[0]!] ?? "student";
    for (const name of names) this.hear(parse(`hello ${name} ${roleOf(name)} instance=${name}`));
    for (const name of names) this.hear(parse(`prepared ${name}`));
    for (const name of names) this.hear(parse(`ready ${name} sha=${roleOf(name) === "teacher" ? "" : "w0"}`));
    return [];
  }

  #restart(): string[] {
    this.#sessions.clear();
    const [state, ...effects] = replay(this.#plan, this.#journal, this.#atMs, this.#events);
    this.#state = state;
    return effects.flatMap((effect) => this.#describe(effect));
  }

  #calm(fromMs: number, toMs: number, silent?: string): string[] {
    const told: string[] = [];
    const beatMs = 250;
    for (let atMs = fromMs + beatMs; atMs <= toMs; atMs += beatMs) {
      const workers = "workers" in this.#state ? this.#state.workers : [];
      for (const { session, status, name } of workers) {
        if (name === silent) continue;
        told.push(
          ...this.#step({ kind: "message", session, message: { kind: "heartbeat", term: 0, ...status }, atMs }),
        );
      }
      told.push(...this.#step({ kind: "tick", atMs }));
    }
    return told;
  }

  #step(event: Event): string[] {
    const [next, ...effects]: Next = step(this.#plan, this.#state, event);
    const ended = next.kind === "ended" && this.#state.kind !== "ended" ? ["ended"] : [];
    this.#state = next;
    return [...effects.flatMap((effect) => this.#describe(effect)), ...ended];
  }

  #happening(line: Line): Happening {
    const [first = "", ...rest] = line.words;
    const session = this.#sessions.get(first) ?? -1;
    switch (line.verb) {
      case "tick":
        return { kind: "tick" };
      case "stop":
        return { kind: "stop", why: line.words.join(" ") };
      case "trouble":
        return { kind: "trouble", error: new LimbeckError(first as LimbeckErrorCode, rest.join(" ")) };
      case "broken":
        return { kind: "broken", session, why: rest.join(" ") };
      default: {
        const term = this.#state.kind === "ended" ? 0 : this.#state.term;
        const course = "course" in this.#state ? this.#state.course : null;
        return { kind: "message", session, message: messageOf(line, term, course?.plan.stage ?? "teach") };
      }
    }
  }

  #waiting(): string {
    if (this.#state.kind === "ended") return "waits for nothing";
    const wait = waitOf(this.#plan, this.#state);
    return `waits for ${wait.for.join(", ")}: ${wait.why}`;
  }

  #describe(effect: Effect): string[] {
    const whom = (session: number) =>
      [...this.#sessions].find(([, each]) => each === session)?.[0] ?? `session ${session}`;
    switch (effect.kind) {
      case "send": {
        const {
          term,
          body,
          assign,
          stop,
          begin,
          follow,
          pause,
          checkpoint,
          export: exporting,
          teachers: staff,
        } = effect.message;
        const lanes = assign?.students?.map((each) => `${each.worker} ${each.firstLane}+${each.lanes}`).join(", ");
        const whole = assign?.teacherSha256;
        const served = (part = 0) =>
          isApart(this.#plan.job.teacher) ? `member ${part} of ${whole!.slice(0, 6)}` : whole;
        const teachers = assign?.teachers?.map(({ worker, part }) => `; ${worker} serves ${served(part)}`);
        const words = {
          welcome: effect.message.welcome?.rejoined ? " back" : "",
          assign: ` ${assign?.stage} of ${assign?.steps} steps: ${lanes}${teachers?.join("")}${flagged(assign)}`,
          begin: ` at step ${begin?.step}${catchUpFrom(begin)}`,
          follow: ` ${follow?.stage} from ${follow?.source?.worker ?? `teachers ${follow?.teacherSources?.map(({ worker }) => worker).join(", ")}`}${isApart(this.#plan.job.teacher) ? ` for member ${follow?.part}` : ""}`,
          pause: `: ${pause?.why}`,
          checkpoint: `: ${checkpoint?.why}`,
          export: ` ${exporting?.stage}`,
          stop: `: ${stop?.why}`,
          idle: "",
          teachers: ` ${staff?.teachers?.map(({ worker }) => worker).join(", ") || "nobody"}: ${staff?.why}`,
        };
        return [`-> ${whom(effect.session)} (term ${term}) ${body}${words[body!]}`];
      }
      case "refuse":
        return [`-> ${whom(effect.session)} refused, ${effect.error.code}: ${effect.error.message}`];
      case "announce": {
        this.#events.push(effect.event);
        const { kind, atMs: _, ...rest } = effect.event;
        const fields = Object.entries(rest).filter(([name]) => name !== "report" && name !== "phases");
        return [`${kind} ${fields.map(([name, value]) => `${name}=${shown(value)}`).join(" ")}`.trimEnd()];
      }
      case "record": {
        const { teacher, student, baseline, verdict, ledger } = effect.report;
        const errors = [teacher, student, baseline].map((model) => model?.test.errors ?? "none").join(", ");
        return [`report.json verdict=${verdict} errors=(${errors}) ledger=${shown(ledger)}`];
      }
      case "journal":
        this.#journal.push(JSON.parse(JSON.stringify(effect.record)));
        return [`journal: ${effect.record.kind}`];
      case "quarantine": {
        const { step, lane, examples } = effect.skipped;
        return [`quarantine.jsonl step ${step} lane ${lane}: ${examples.join(", ")} (${effect.worker})`];
      }
      case "measure":
        return [];
    }
  }
}

function flagged(assign: ToWorker["assign"]): string {
  const below = Number(assign?.restoreBelow ?? 0);
  const restore = assign?.restore ? `; from a checkpoint${below > 0 ? ` below step ${below}` : ""}` : "";
  return `${assign?.planned ? "; planned" : ""}${restore}`;
}

function catchUpFrom(begin: ToWorker["begin"]): string {
  const { sources = [], sumSources = [], evaluate, uncacheable } = begin ?? {};
  const sums = sumSources.length > 0 ? `, the last sum at ${sumSources.join(", ")}` : "";
  return ` (as ${sources.join(", ")}${sums})${evaluate ? ", evaluate" : ""}${uncacheable ? `; nothing cached, for ${uncacheable}` : ""}`;
}

function shown(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(shown).join(", ")}]`;
  if (typeof value === "number") return String(Number(value.toPrecision(6)));
  if (typeof value !== "object" || value === null) return String(value);
  return `(${Object.values(value).map(shown).join(" ")})`;
}

function jobOf({ values }: Line): Job {
  const { students = "1", teachers = "1", baseline = "true", numerics = "exact", loads = "false" } = values;
  const roles = values["roles"] === "auto" ? "auto" : "fixed";
  return testJob({
    workers: { students: studentsOf(students), teachers: Number(teachers), roles },
    epochs: Number(values["epochs"] ?? 2),
    baseline: baseline === "true",
    numerics: numerics === "fast" ? "fast" : "exact",
    loads: loads === "true",
    inputs: values["inputs"] === "tensors" ? "tensors" : "ids",
    apart: Number(values["apart"] ?? 0),
  });
}

/** `2`, or `1-4`: the fewest and the most. */
function studentsOf(text: string): number | { min: number; max: number } {
  const [min, max] = text.split("-").map(Number);
  return max === undefined ? min! : { min: min!, max };
}
