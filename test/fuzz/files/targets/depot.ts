/** A depot of a folder, as a coordinator and a worker find it that have nothing of their own any more. */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { recoverFolder } from "../../../../coordinator/depot/recover.ts";
import { journalLine, openJournalFile } from "../../../../coordinator/folder/journal.ts";
import type { JournalRecord } from "../../../../coordinator/journalrecord.ts";
import { replay } from "../../../../coordinator/replay.ts";
import { LimbeckError } from "../../../../core/errors.ts";
import { effectiveJobYaml } from "../../../../core/jobfile.ts";
import { depotOn } from "../../../../proto/depot/depot.ts";
import { folderShelf } from "../../../../proto/depot/folder.ts";
import { fetchNewest } from "../../../../worker/depot/restore.ts";
import { events, job, journal, linesOf, plan } from "../samplerun.ts";
import { type Folder, promise, type Target, withFiles } from "../target.ts";
import { checkpointFolder, checkpointSeed, mendCheckpoint } from "./checkpoint.ts";
import { mendedLines } from "./journal.ts";

const journalPath = "journal.jsonl";

export const target: Target = {
  async open() {
    const checkpoint = Object.entries((await checkpointSeed()).files);
    const seed = withFiles(
      { files: Object.fromEntries(checkpoint.map(([name, content]) => [`checkpoints/${name}`, content])) },
      {
        [journalPath]: linesOf(journal, journalLine),
        "events.jsonl": linesOf(events),
        "job.yaml": effectiveJobYaml(job, "."),
      },
    );
    const { [journalPath]: _, ...others } = seed.files;
    return {
      seeds: [seed],
      nasties: {
        "a journal that lies elsewhere": { files: others, links: { [journalPath]: "../canary" } },
        "a job that lies elsewhere": { ...seed, links: { "job.yaml": "../canary" } },
        "a folder that lies elsewhere": { ...seed, links: { elsewhere: ".." } },
        "weights that lie elsewhere": {
          ...seed,
          links: { [`checkpoints/${checkpointFolder}/weights.safetensors`]: "../../../canary" },
          must: "be refused",
        },
        "a manifest that lies elsewhere": {
          ...seed,
          links: { [`checkpoints/${checkpointFolder}/manifest.json`]: "../../../canary" },
        },
        "a journal without an end": { files: others, links: { [journalPath]: "/dev/zero" } },
        "names that are no keys": withFiles(seed, {
          "checkpoints/distil-00000013/.hidden": "x",
          "checkpoints/a b/x": "x",
        }),
        "a term of 1e308": {
          ...withFiles(seed, {
            [journalPath]: linesOf([...journal, { kind: "recovered", atMs: 1, term: 1e308 }], journalLine),
          }),
          must: "be refused",
        },
      },
      names: /\bthe journal\b|\bcheckpoints?\b|distil/,
      mend(folder: Folder): Folder {
        const mended = mendCheckpoint(folder, "checkpoints/");
        const text = mended.files[journalPath];
        return text ? withFiles(mended, { [journalPath]: mendedLines(Buffer.from(text).toString()) }) : mended;
      },
      async read(path) {
        const depot = depotOn(folderShelf(path));
        const [state, root] = [join(path, "../out/state"), join(path, "../out/checkpoints")];
        mkdirSync(root);
        const wanted = { below: Number.POSITIVE_INFINITY, refuses: () => null };
        const { latest, skipped } = await fetchNewest(depot, { root, stage: "distil", wanted });
        if (await recoverFolder(depot, state, 1)) {
          const file = await openJournalFile<JournalRecord>(join(state, journalPath));
          await file.close();
          const [found] = replay(plan, file.records, 1);
          promise(!("term" in found) || Number.isSafeInteger(found.term), "its term is no number");
        }
        if (latest === null && skipped.length > 0) throw new LimbeckError("corrupt", skipped[0]!.why);
      },
    };
  },
};
