/** The folder of a service: who leads, and the journal of its jobs. */
import { journalLine } from "../../../../coordinator/folder/journal.ts";
import { openFolderStore } from "../../../../coordinator/folder/store.ts";
import { replay } from "../../../../coordinator/service/records.ts";
import type { ServiceRecord } from "../../../../coordinator/service/vocabulary.ts";
import type { Leadership } from "../../../../coordinator/store.ts";
import { linesOf, service } from "../samplerun.ts";
import { type Folder, type Nasty, promise, type Target, textFolder, withFiles } from "../target.ts";
import { mendedLines } from "./journal.ts";

const own = { name: "me", address: "127.0.0.1:1", http: "127.0.0.1:2" };
const journalName = "journals/service/3.jsonl";
const seed = textFolder({
  "leader.json": `${JSON.stringify({ fence: 3, ...own })}\n`,
  [journalName]: linesOf(service, journalLine),
});
const leader = (text: string): Nasty => ({ ...withFiles(seed, { "leader.json": text }), must: "be refused" });
const records = (...wrong: unknown[]): Nasty => ({
  ...withFiles(seed, { [journalName]: linesOf(wrong, journalLine) }),
  must: "be refused",
});
/** Who holds it is no process: whether it lives cannot be known, so it is stood by for. */
const locked = (holder: string): Nasty => withFiles(seed, { "leader.lock": holder });

export const target: Target = {
  open: async () => ({
    seeds: [seed, { files: { [journalName]: seed.files[journalName]! } }],
    nasties: {
      "a leader of null": leader("null"),
      "a fence that is no number": leader('{"fence":"3"}'),
      "a fence of 2^53": leader('{"fence":9007199254740993}'),
      "a fence that is the last": leader('{"fence":9007199254740991}'),
      "a fence below 0": leader('{"fence":-9007199254740991}'),
      "a leader without an end": { files: {}, links: { "leader.json": "/dev/zero" }, must: "be refused" },
      "a leader that is a folder": { ...textFolder({ "leader.json/x": "" }), must: "be refused" },
      "a lock of nobody": locked(""),
      "a lock of all processes": locked("host -1 0"),
      "a lock of a path": locked("host ../../canary 0"),
      "a lock of a megabyte": locked("x".repeat(1 << 20)),
      "a journal of a fence that has no next": withFiles(seed, { "journals/service/9007199254740991.jsonl": "" }),
      "a claim that is no number": withFiles(seed, { "journals/service/1e999.claim": "" }),
      "a claim of nobody's": withFiles(seed, { "journals/service/7.claim": "" }),
      "a journal that is a folder": { ...textFolder({ "journals/service/3.jsonl/x": "" }), must: "be refused" },
      "a job that is null": records({ kind: "kept", job: null }),
      "a record of null": records(service[1], 5, null, service[1]),
      "a job without workers": records({ ...service[1], job: {} }),
      "a phase of nobody": records(service[1], {
        kind: "changed",
        ...{ job: "story-0002", phase: { kind: "odd" }, why: "", atMs: 1 },
      }),
      "a phase that is null": records(service[1], { kind: "changed", job: "story-0002", phase: null }),
    },
    names: /\bthe journal\b/,
    mend(folder: Folder): Folder {
      const lines = folder.files[journalName];
      return lines ? withFiles(folder, { [journalName]: mendedLines(Buffer.from(lines).toString()) }) : folder;
    },
    async read(path) {
      const store = openFolderStore(path);
      const standing = new AbortController();
      let leading: Promise<Leadership> | null = null;
      const stoodBy = new Promise<null>((resolve) => {
        leading = store.lead(own, { standby: () => resolve(null), signal: standing.signal });
        leading.catch(() => {});
      });
      const leadership = await Promise.race([leading!, stoodBy]);
      if (leadership === null) {
        standing.abort();
        return;
      }
      try {
        promise(Number.isSafeInteger(leadership.fence), "its fence is no number");
        const journal = await leadership.journal<ServiceRecord>("service");
        await journal.close();
        const { jobs, turns } = replay(journal.records);
        promise(jobs instanceof Map && turns !== undefined, "it has no jobs");
      } finally {
        await leadership.resign();
      }
    },
  }),
};
