/** A process that appends to the records of a folder until it is killed: `appender FOLDER`. */
import { openJournal } from "../../../coordinator/folder/journal.ts";
import type { JournalRecord } from "../../../coordinator/journalrecord.ts";
import { openRecords } from "../../../coordinator/records.ts";
import { parseJob } from "../../../core/jobfile.ts";
import { text } from "../../core/samplejob.ts";

const folder = process.argv[2]!;
const records = await openRecords(folder, parseJob(text, "job.yaml"), folder, { resume: true });
const journal = await openJournal<JournalRecord>(folder);
for (let at = journal.records.length; ; at++) {
  await journal.append({ kind: "started", atMs: at, build: "x".repeat((at * 37) % 5000) });
  await records.append({ kind: "job-stopped", why: String(at), atMs: at });
  await records.quarantine({ at });
  process.send!(at);
}
