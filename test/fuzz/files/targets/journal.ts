/** A job's journal, and the state that a coordinator makes of it. */
import { join } from "node:path";
import { journalLine, openJournalFile } from "../../../../coordinator/folder/journal.ts";
import type { JournalRecord } from "../../../../coordinator/journalrecord.ts";
import { replay } from "../../../../coordinator/replay.ts";
import { events, journal, linesOf, plan } from "../samplerun.ts";
import { type Folder, type Nasty, promise, type Target, textFolder } from "../target.ts";

const name = "journal.jsonl";
const folder = (records: readonly unknown[]) => textFolder({ [name]: linesOf(records, journalLine) });
const [started, settled, opened, begun, finished] = [0, 1, 2, 3, 4].map((at): object => journal[at]!);
const refused = (...records: unknown[]): Nasty => ({ ...folder(records), must: "be refused" });

/** The checksums of lines are those of their records. */
export function mendedLines(text: string): string {
  const lines = text.split("\n").map((line) => {
    try {
      return journalLine((JSON.parse(line) as { record: unknown }).record);
    } catch {
      return line; // It is none.
    }
  });
  return lines.join("\n");
}

export const target: Target = {
  open: async () => ({
    seeds: [folder(journal), folder(journal.slice(0, 6))],
    nasties: {
      "records that are none": folder([null, 5, "x", [], { kind: "__proto__" }]),
      "a dataset of nothing": refused(started, { ...settled, dataset: null }),
      "a term of 1e308": refused(started, settled, { ...opened, term: 1e308 }),
      "a term that is text": refused(started, settled, { ...opened, term: "9" }),
      "a stage of nobody": refused(started, settled, { ...finished, stage: "nobody" }),
      "answers that are cut": refused(started, settled, opened, begun, { ...finished, predictions: "AAA" }),
      "answers to more than there are": refused(started, settled, opened, begun, {
        ...finished,
        confidences: "A".repeat(1 << 16),
      }),
      "answers that are no text": refused(started, settled, opened, begun, {
        ...finished,
        confidences: { length: 1e9 },
      }),
      "a deal to nobody": refused(started, settled, { ...opened, deal: [null] }, begun),
      "members without instances": refused(started, settled, { ...opened, instances: null, deal: null }, begun),
      "a line of a megabyte": {
        ...textFolder({ [name]: `${"x".repeat(1 << 20)}\n${linesOf(journal, journalLine)}` }),
        must: "be refused",
      },
      "lists in lists": {
        ...textFolder({ [name]: `{"crc":"00000000","record":${"[".repeat(1 << 17)}}\n`.repeat(2) }),
        must: "be refused",
      },
      "a hundred thousand empty lines": { ...textFolder({ [name]: "\n".repeat(100_000) }), must: "be refused" },
      "lines without an end": { files: {}, links: { [name]: "/dev/zero" }, must: "be refused" },
      "a last line that is torn": {
        ...textFolder({ [name]: linesOf(journal, journalLine).slice(0, -9) }),
        must: "be taken",
      },
    },
    names: /\bthe journal\b/,
    mend: ({ files }: Folder) => textFolder({ [name]: mendedLines(Buffer.from(files[name] ?? []).toString()) }),
    async read(path) {
      const file = await openJournalFile<JournalRecord>(join(path, name));
      await file.close();
      const [state] = replay(plan, file.records, 1, events);
      promise(!("term" in state) || (Number.isSafeInteger(state.term) && state.term >= 0), "its term is no number");
      promise(!("course" in state) || state.course === null || state.course.stages.length > 0, "it has no stages");
    },
  }),
};
