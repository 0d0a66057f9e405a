/** What the coordinator leaves in the run folder: job.yaml, events.jsonl and, at the end, report.json. */
import { mkdir, open, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { stringify } from "yaml";
import { LimbeckError } from "../core/errors.ts";
import type { ProgressEvent } from "../core/events.ts";
import type { Job } from "../core/job.ts";
import type { Report } from "../core/report.ts";

export interface Records {
  /** Appends a line to events.jsonl. Throws `unavailable` once when the disk refuses; later events are let go. */
  append(event: ProgressEvent): Promise<void>;
  /** Writes report.json, whole (L4). */
  report(report: Report): Promise<void>;
  close(): Promise<void>;
}

/**
 * Makes the run folder where it is missing and writes the effective job into it.
 * Throws `usage` where the folder holds another run's events, `unavailable` where it cannot be written.
 */
export async function openRecords(runFolder: string, job: Job, jobFolder: string): Promise<Records> {
  const eventsPath = join(runFolder, "events.jsonl");
  await refusing(runFolder, () => mkdir(runFolder, { recursive: true }));
  const events = await refusing(eventsPath, () => open(eventsPath, "ax"));
  let isBroken = false;
  const heading = `# The effective job. Relative paths in it start from ${jobFolder}\n`;
  try {
    await writeWhole(join(runFolder, "job.yaml"), heading + stringify(job));
  } catch (thrown) {
    await events.close();
    throw thrown;
  }
  return {
    async append(event) {
      if (isBroken) return;
      try {
        await refusing(eventsPath, () => events.appendFile(`${JSON.stringify(event)}\n`));
      } catch (thrown) {
        isBroken = true;
        throw thrown;
      }
    },
    report: (report) => writeWhole(join(runFolder, "report.json"), `${JSON.stringify(report, null, 2)}\n`),
    async close() {
      if (!isBroken) await refusing(eventsPath, () => events.sync());
      await events.close();
    },
  };
}

/** L4: written beside its place, fsynced, renamed into it, and the folder fsynced. */
async function writeWhole(path: string, text: string): Promise<void> {
  const temporary = `${path}.tmp-${process.pid}`;
  await refusing(path, async () => {
    try {
      await using file = await open(temporary, "w");
      await file.writeFile(text);
      await file.sync();
    } catch (thrown) {
      await rm(temporary, { force: true });
      throw thrown;
    }
    await rename(temporary, path);
    await using folder = await open(dirname(path), "r");
    await folder.sync();
  });
}

const reasons: Readonly<Record<string, string>> = {
  ENOSPC: "no space is left on its disk",
  EDQUOT: "the disk quota is used up",
  EACCES: "permission is denied",
  EPERM: "permission is denied",
  EROFS: "its file system is read-only",
  ENOTDIR: "a part of its path is a file",
};

async function refusing<T>(path: string, write: () => Promise<T>): Promise<T> {
  try {
    return await write();
  } catch (cause) {
    const { code = "", message } = cause as NodeJS.ErrnoException;
    if (code === "EEXIST") {
      throw new LimbeckError("usage", `${path} exists: the folder holds another run; choose another with --out`, {
        cause,
      });
    }
    throw new LimbeckError("unavailable", `${path} cannot be written: ${reasons[code] ?? message}`, { cause });
  }
}
