/** A folder of `--state` is one job's or a service's: each would write its files among those of the other. */
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { journalName } from "../coordinator/folder/journal.ts";
import { leaderName } from "../coordinator/folder/store.ts";
import { eventsName } from "../coordinator/records.ts";
import { LimbeckError } from "../core/errors.ts";
import { exists } from "../proto/files.ts";

type Owner = "job" | "service";

/** What tells whose it is; null where nothing does. Not what people may have called something of their own: job.yaml, jobs/. */
const marks: Readonly<Record<Owner, (folder: string) => Promise<string | null>>> = {
  job: async (folder) => ((await exists(join(folder, journalName))) ? journalName : null),
  service: async (folder) => ((await exists(join(folder, leaderName))) ? leaderName : await serviceRun(folder)),
};
const refusals: Readonly<Record<Owner, string>> = {
  job: "is a service's: give the job to that with `limbeck submit`",
  service: "is one job's: give the job file, too, to go on with that",
};

/** One that both have used already is let be. @throws LimbeckError `usage` where it is the other's */
export async function checkOwner(folder: string, owner: Owner): Promise<void> {
  const others = await marks[owner === "job" ? "service" : "job"](folder);
  if (others === null || (await marks[owner](folder)) !== null) return;
  const message = `the folder ${folder} has ${others}, so it ${refusals[owner]}, or choose another --state`;
  throw new LimbeckError("usage", message);
}

/** All that a service whose journals are in NATS leaves: the run of a coordinator with a job file has its journal beside its events. */
async function serviceRun(folder: string): Promise<string | null> {
  const names = await readdir(join(folder, "jobs")).catch(() => []);
  for (const name of names) {
    const run = join("jobs", name);
    const [hasEvents, hasJournal] = await Promise.all(
      [eventsName, journalName].map((file) => exists(join(folder, run, file))),
    );
    if (hasEvents && !hasJournal) return run;
  }
  return null;
}
