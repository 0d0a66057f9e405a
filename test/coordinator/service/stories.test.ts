/**
 * What the service decides, as stories: blocks of happenings, `----`, and what it does about them. `REWRITE=1` writes
 * what it did into the files instead, to be read before it is kept.
 *
 *     submit NAME students=2-4 teachers=1   priority=, roles=, digest= and request= change a default
 *     join NAME NAME                        names in w are students, in t teachers, in a take any role
 *     settle                                what was ordered is done, and who was let go has joined again
 *     report JOB remaining=60 students=2    waited=0.4, could=2+1
 *     restart                               another leads, on the journal; workers come back with `back NAME NAME`
 *     list                                  the jobs, and why they wait
 */
import assert from "node:assert/strict";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { listJobs } from "../../../coordinator/service/listing.ts";
import { findJob } from "../../../coordinator/service/naming.ts";
import type { Effect } from "../../../coordinator/service/vocabulary.ts";
import { packagePath } from "../../../proto/package.ts";
import { testJob } from "../jobs.ts";
import { Cluster } from "./cluster.ts";

const folder = packagePath("test/coordinator/service/stories");

for (const name of readdirSync(folder)) {
  test(name.replace(/\.txt$/, "").replaceAll("-", " "), () => {
    const path = join(folder, name);
    const text = readFileSync(path, "utf8");
    const told = tell(text);
    if (process.env["REWRITE"]) writeFileSync(path, told);
    else assert.equal(told, text);
  });
}

function tell(text: string): string {
  const cluster = new Cluster();
  cluster.happen({ kind: "led" });
  const blocks = text.trimEnd().split(/\n\n+/);
  const told = blocks.map((block) => {
    const [input = ""] = block.split("\n----");
    const lines = input.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
    return [input, "----", ...lines.flatMap((line) => hear(cluster, line))].join("\n");
  });
  return `${told.join("\n\n")}\n`;
}

function hear(cluster: Cluster, line: string): string[] {
  const tokens = line.split(" ");
  const values = Object.fromEntries(tokens.filter((token) => token.includes("=")).map((token) => token.split("=")));
  const [verb = "", ...words] = tokens.filter((token) => !token.includes("="));
  const job = findJob(cluster.state.jobs, words[0] ?? "")?.id ?? "";
  if (verb === "list") return list(cluster);
  const effects = words.length === 0 ? once(cluster, verb) : play(cluster, { verb, words, values, job });
  return effects.flatMap((effect) => show(cluster, effect));
}

function once(cluster: Cluster, verb: string): readonly Effect[] {
  switch (verb) {
    case "restart":
      return cluster.restart();
    case "settle": {
      const effects: Effect[] = [];
      while (cluster.settle(effects));
      return effects;
    }
    default:
      throw new Error(`a story does not know ${verb}`);
  }
}

interface Told {
  readonly verb: string;
  readonly words: readonly string[];
  readonly values: Readonly<Record<string, string>>;
  readonly job: string;
}

function play(cluster: Cluster, { verb, words, values, job }: Told): readonly Effect[] {
  const [first = ""] = words;
  const roleOf = (name: string) => (({ w: "student", t: "teacher" }) as const)[name[0]!] ?? "auto";
  switch (verb) {
    case "submit":
      return cluster.submit({ ...submission(values), name: first });
    case "join":
      return words.flatMap((name) => cluster.join(name, roleOf(name)));
    case "back":
      return words.flatMap((name) => cluster.rejoin(name));
    case "die":
      return words.flatMap((name) => cluster.die(name));
    case "refuse":
      return cluster.refuse(first);
    case "tick":
      return cluster.tick(1_000 * Number(first));
    case "pause":
    case "resume":
    case "cancel":
      return cluster.control(first, verb);
    case "done":
    case "failed":
    case "stopped":
      return cluster.end(job, verb);
    case "report": {
      const [students, teachers] = (values["could"] ?? "").split("+").map(Number);
      const most = teachers === undefined ? null : { students: students!, teachers };
      const number = (key: string) => (values[key] === undefined ? null : Number(values[key]));
      const told = { most, students: number("students") ?? 1 };
      const measured = { ...told, remainingSeconds: number("remaining"), waitedShare: number("waited") };
      return cluster.happen({ kind: "jobReported", job, ...measured });
    }
    default:
      throw new Error(`a story does not know ${verb}`);
  }
}

function submission(values: Told["values"]) {
  const { students = "1", teachers = "1", priority = "0", roles = "fixed", digest = "d", request = "" } = values;
  const [min = 1, max = min] = students.split("-").map(Number);
  const workers = {
    students: { min, max },
    teachers: Number(teachers),
    roles: roles === "auto" ? roles : "fixed",
  } as const;
  return { digest, priority: Number(priority), job: testJob({ workers }), sources: [], by: "somebody", request };
}

function list({ state, atMs }: Cluster): string[] {
  return listJobs(state, atMs).map(({ id, state, workers, why }) => `${id} ${state} [${workers.join(" ")}]: ${why}`);
}

function show({ names }: Cluster, effect: Effect): string[] {
  switch (effect.kind) {
    case "journal": {
      const { record } = effect;
      if (record.kind === "submitted") return [`journal: submitted ${record.id}`];
      if (record.kind !== "changed") return [`journal: ${record.kind}`];
      const then = record.phase.kind === "pausing" ? `, then ${record.phase.next}` : "";
      return [`journal: ${record.job} is ${record.phase.kind}${then}`];
    }
    case "retire":
      return []; // Follows each end of one that had begun.
    case "startJob":
      return [`start ${effect.job}${effect.begun ? " on its records" : ""}: ${effect.why}`];
    case "stopJob":
    case "forget":
      return [`${effect.kind === "stopJob" ? "stop" : "forget"} ${effect.job}: ${effect.why}`];
    case "give":
      return [`${names.get(effect.session)} -> ${effect.job}: ${effect.why}`];
    case "take":
      return [`${names.get(effect.session)} leaves ${effect.job}: ${effect.why}`];
    case "sendOn":
      return [`${names.get(effect.session)} is sent on: ${effect.why}`];
    case "idle":
      return [`${names.get(effect.session)} is idle: ${effect.why}`];
    case "answer":
      return [`answer ${effect.job} ${effect.phase}${effect.isNew ? " (new)" : ""}: ${effect.why}`];
    case "refuse":
      return [`refuse ${effect.error.code}: ${effect.error.message}`];
  }
}
