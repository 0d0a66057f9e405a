/**
 * How long a coordinator takes to read what was decided before it: 100,000 entries of a journal on the folder and on NATS
 * (where nats-server is there), and to replay them: as the service's records, and as those of one job of many terms.
 * `npm run bench -- journals [ENTRIES]`
 */
import { mkdtempSync, rmSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { journalLine, openJournalFile } from "../coordinator/folder/journal.ts";
import type { JournalRecord } from "../coordinator/journalrecord.ts";
import { openNatsStore } from "../coordinator/nats/store.ts";
import { replay } from "../coordinator/replay.ts";
import { replay as replayService } from "../coordinator/service/records.ts";
import type { ServiceRecord } from "../coordinator/service/vocabulary.ts";
import type { Leadership, Store } from "../coordinator/store.ts";
import { connectNats, type Nats } from "../proto/nats.ts";
import { silent } from "../proto/telemetry/log.ts";
import { testJob, testPlan } from "../test/coordinator/jobs.ts";
import { percentiles, print, rounded } from "./load/figures.ts";
import { startNatsServer } from "./load/nats.ts";
import { simulatedDataset } from "./load/simulated.ts";

const entries = Number(process.argv[3] ?? 100_000);
const runs = 3;
/** Students of the job with many terms. */
const students = 8;

/** What 1,000 jobs at a time leave behind: each is submitted, starts, ends and is forgotten. */
function serviceRecords(): ServiceRecord[] {
  const job = testJob();
  const phases = [{ kind: "running" }, { kind: "done", endedMs: 1, summary: null }] as const;
  const records: ServiceRecord[] = [];
  for (let number = 1; records.length < entries; number++) {
    const id = `job-${number}`;
    const told = { name: id, digest: `${number}`, priority: 0, job, sources: [] };
    const submission = { ...told, by: "bench", request: id };
    records.push({ kind: "submitted", id, number, atMs: number, ...submission });
    for (const phase of phases) records.push({ kind: "changed", job: id, phase, why: "it goes on", atMs: number });
    if (number > 1_000) records.push({ kind: "forgotten", job: `job-${number - 1_000}` });
  }
  return records.slice(0, entries);
}

/** A job whose membership changes all the time. */
function jobRecords(): JournalRecord[] {
  const dataset = { ...simulatedDataset, classNames: [] };
  const records: JournalRecord[] = [
    { kind: "started", atMs: 1, build: "bench" },
    { kind: "settled", dataset, fingerprints: { student: "f", teacher: "f" } },
  ];
  const names = Array.from({ length: students }, (_, at) => `student-${at + 1}`);
  const deal = names.map((worker, at) => ({ worker, firstLane: at, lanes: 1 }));
  const instances = Object.fromEntries(names.map((name) => [name, `instance of ${name}`]));
  for (let term = 1; records.length < entries; term++) {
    const membership = { deal, teachers: [], instances, rollbackBelow: null };
    records.push({ kind: "term", atMs: term, term, stage: "teach", ...membership, why: "student-1 is lost" });
    const begun = { step: term, sources: names, sumSources: names, evaluate: false, uncacheable: "" };
    records.push({ kind: "begun", term, parameters: 9, ...begun });
  }
  return records.slice(0, entries);
}

async function median(work: () => Promise<unknown> | unknown): Promise<number> {
  const times: number[] = [];
  for (let run = 0; run < runs; run++) {
    const startedMs = performance.now();
    await work();
    times.push(performance.now() - startedMs);
  }
  return rounded(percentiles(times)!.p50, 0);
}

async function lead(store: Store): Promise<Leadership> {
  const own = { name: "bench", address: "127.0.0.1:1", http: "127.0.0.1:2" };
  return await store.lead(own, { standby: () => {}, signal: new AbortController().signal });
}

async function onNats(nats: Nats, records: readonly unknown[]): Promise<number> {
  const store = openNatsStore({ nats, cluster: "bench", log: silent });
  const leadership = await lead(store);
  // As they are appended one by one, without waiting for each.
  const stream = "LIMBECK_BENCH_JOURNAL";
  const subject = "limbeck.bench.journal.many";
  await leadership.journal("many").then((journal) => journal.close());
  const jetStream = nats.connection.jetstream({ timeout: 60_000 });
  for (let from = 0; from < records.length; from += 500) {
    const some = records.slice(from, from + 500);
    await Promise.all(some.map((record) => jetStream.publish(subject, JSON.stringify(record))));
  }
  const found = await median(async () => {
    const journal = await leadership.journal("many");
    if (journal.records.length !== records.length) throw new Error(`${journal.records.length} in ${stream}`);
    await journal.close();
  });
  await leadership.resign();
  return found;
}

const base = mkdtempSync(join(tmpdir(), "limbeck-journals-"));
const server = await startNatsServer(join(base, "nats"));
try {
  const [service, job] = [serviceRecords(), jobRecords()];
  const files = { service: join(base, "service.jsonl"), job: join(base, "job.jsonl") };
  for (const [file, records] of [
    [files.service, service],
    [files.job, job],
  ] as const) {
    await writeFile(file, records.map((record) => `${journalLine(record)}\n`).join(""));
  }
  const read = (file: string) =>
    median(async () => {
      const journal = await openJournalFile<unknown>(file);
      await journal.close();
    });
  const plan = testPlan(testJob({ workers: { students: 2, teachers: 1 } }));
  const nats = server && (await connectNats({ urls: [server.url], name: "bench" }));
  print("journals", {
    entries,
    readMs: {
      folderService: await read(files.service),
      folderJob: await read(files.job),
      natsJob: nats && (await onNats(nats, job)),
    },
    replayMs: {
      service: await median(() => replayService(service)),
      job: await median(() => replay(plan, job, 1)),
    },
  });
  await nats?.connection.close();
} finally {
  server?.stop();
  rmSync(base, { recursive: true, force: true });
}
process.exit();
