/** `limbeck artifacts`: what a job has left behind, listed, or fetched into a folder. */

import { jobMeant } from "../core/jobentry.ts";
import { plain } from "../core/plaintext.ts";
import { bytesText, counted } from "../core/words.ts";
import type { Artifact } from "../proto/jobs.ts";
import type { OutputFormat } from "./display.ts";
import { fetchAll } from "./fetching.ts";
import { type Addressed, withJobs } from "./jobclient.ts";
import { type Column, grid } from "./terminal/grid.ts";

export interface ArtifactsOptions extends Addressed {
  readonly job: string;
  /** A folder. */
  readonly fetch?: string;
  readonly output: OutputFormat;
}

const columns: readonly Column<Artifact>[] = [
  { title: "size", rank: 1, align: "right", of: ({ bytes }) => bytesText(bytes) },
  { title: "file", rank: 2, of: ({ path }) => path },
];

export async function artifacts({ job, fetch: folder, output, at }: ArtifactsOptions): Promise<void> {
  await withJobs({ at }, async (jobs) => {
    const { id } = jobMeant(await jobs.list(), job);
    const found = await jobs.artifacts(id);
    const print = (value: object, lines: readonly string[]) =>
      void process.stdout.write(`${output === "json" ? JSON.stringify(value) : lines.join("\n")}\n`);
    if (folder === undefined) {
      const { head, lines } = grid(columns, found.artifacts, { width: Number.POSITIVE_INFINITY });
      const where = plain(`${id}: ${counted(found.artifacts.length, "file")}, in ${found.where}`);
      print({ job: id, ...found }, found.artifacts.length === 0 ? [where] : [where, head, ...lines]);
      return;
    }
    const { fetched, kept, bytes } = await fetchAll(jobs, id, { artifacts: found.artifacts, folder });
    const there = kept.length === 0 ? "" : `; ${kept.length} of that size were there already`;
    const text = `${counted(fetched.length, "file")} (${bytesText(bytes)}) fetched into ${folder}${there}`;
    print({ job: id, folder, fetched, kept, bytes }, [text]);
  });
}
