/** From the depot alone: what a coordinator needs whose own folder, or store, has nothing of the job any more. */
import { appendFile, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Depot } from "../../proto/depot/depot.ts";
import { makeFolder, writing } from "../../proto/files.ts";
import { journalLine, journalName, journalRecord } from "../folder/journal.ts";
import type { JournalRecord } from "../journalrecord.ts";

/**
 * L3. The copy may lack the last terms, of which workers may live that nobody has told yet: the next one is none of theirs.
 * A term opens when a membership changes; a thousand changes since the last checkpoint would be a wonder.
 */
const termsSince = 1_000;

/** What of a run folder is fetched, job.yaml last: with it the folder is a run's. */
const fetchedNames = ["events.jsonl", "quarantine.jsonl", "curves.json", "report.html", "report.json", "job.yaml"];

/** The records of the copy, and that they are one's; none, where there is none. @throws as Depot.read */
export async function recordsIn(depot: Depot, atMs: number): Promise<readonly JournalRecord[]> {
  if ((await depot.list(journalName)).length === 0) return [];
  const text = new TextDecoder().decode(await depot.read(journalName));
  const records = text.split("\n").flatMap((line) => journalRecord<JournalRecord>(line) ?? []);
  const terms = records.flatMap((record) =>
    record.kind === "term" || record.kind === "recovered" ? [record.term] : [],
  );
  return records.length === 0
    ? []
    : [
        ...records,
        { kind: "recovered", atMs, term: terms.reduce((most, term) => Math.max(most, term), 0) + termsSince },
      ];
}

/**
 * Fills a run folder that holds no run from the depot, if that has the job.
 * @returns whether it has been filled
 * @throws as Depot.get; the folder then still holds no run
 */
export async function recoverFolder(depot: Depot, folder: string, atMs: number): Promise<boolean> {
  const records = await recordsIn(depot, atMs);
  if (records.length === 0) return false;
  await writing(folder, () => makeFolder(folder));
  const there = new Set((await depot.list("")).map(({ key }) => key));
  const journal = join(folder, journalName);
  await rm(journal, { force: true });
  await writing(journal, () => appendFile(journal, records.map((record) => `${journalLine(record)}\n`).join("")));
  for (const name of fetchedNames) if (there.has(name)) await depot.get(name, join(folder, name));
  return true;
}
