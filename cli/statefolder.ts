/** A folder of `--state` is one job's or a service's: each would write its files among those of the other. */
import { join } from "node:path";
import { LimbeckError } from "../core/errors.ts";
import { exists } from "../proto/files.ts";

type Owner = "job" | "service";

/** What tells whose it is. */
const marks: Readonly<Record<Owner, readonly string[]>> = {
  job: ["job.yaml", "journal.jsonl"],
  service: ["leader.json", "jobs"],
};
const refusals: Readonly<Record<Owner, string>> = {
  job: "is a service's: give the job to that with `limbeck submit`",
  service: "is one job's: give the job file, too, to go on with that",
};

/** One that both have used already is let be. @throws LimbeckError `usage` where it is the other's */
export async function checkOwner(folder: string, owner: Owner): Promise<void> {
  const [own] = await found(folder, owner);
  const [others] = await found(folder, owner === "job" ? "service" : "job");
  if (own !== undefined || others === undefined) return;
  const message = `the folder ${folder} has ${others}, so it ${refusals[owner]}, or choose another --state`;
  throw new LimbeckError("usage", message);
}

async function found(folder: string, owner: Owner): Promise<readonly string[]> {
  const there = await Promise.all(marks[owner].map((name) => exists(join(folder, name))));
  return marks[owner].filter((_, at) => there[at]);
}
