/** A worker's own folder for a job whose results go to a depot: checkpoints and models on their way there and from there. */
import { readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { LimbeckError } from "../../core/errors.ts";
import { isKey } from "../../proto/depot/key.ts";
import { makeFolder, writing } from "../../proto/files.ts";
import { cacheFolder } from "../engine/environment.ts";

/** Nothing was written into it for so long: its job is over, or goes on elsewhere. */
const oldMs = 7 * 24 * 3_600_000;

/**
 * Makes the folder; workers of one machine and cache folder share it. Sweeps those of other jobs that are old.
 * @throws LimbeckError `internal` where the id is no name of a folder, `unavailable` where it cannot be made
 */
export async function openScratch(job: string): Promise<string> {
  if (!isKey(job) || job.includes("/")) throw new LimbeckError("internal", `${job} is no id of a job`);
  const all = join(cacheFolder(), "jobs");
  const folder = join(all, job);
  await writing(folder, () => makeFolder(folder));
  for (const name of await readdir(all)) {
    if (name !== job && Date.now() - (await touchedMs(join(all, name))) > oldMs)
      await rm(join(all, name), { recursive: true, force: true });
  }
  return folder;
}

/** When something was last added to the folder, or to one in it. Unix time in milliseconds */
async function touchedMs(folder: string): Promise<number> {
  const inside = (await readdir(folder).catch((): string[] => [])).map((name) => join(folder, name));
  const times = [folder, ...inside].map((path) =>
    stat(path).then(
      ({ mtimeMs }) => mtimeMs,
      () => 0,
    ),
  );
  return Math.max(...(await Promise.all(times)));
}
