/** What is left of a job where coordinators share no folder: any of them has it, also where the leader died as the job ended. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import { openFolderStore } from "../../../coordinator/folder/store.ts";
import type { Service } from "../../../coordinator/service/main.ts";
import type { ProgressEvent } from "../../../core/events.ts";
import { effectiveJobYaml } from "../../../core/jobfile.ts";
import { connectCoordinator } from "../../../proto/clients.ts";
import { within } from "../../../proto/depot/depot.ts";
import { openDepot } from "../../../proto/depot/open.ts";
import { connectJobs } from "../../../proto/jobs.ts";
import { lastingJobId } from "../../../proto/jobsha256.ts";
import { givenAddresses } from "../../../proto/whereabouts.ts";
import { testJob } from "../jobs.ts";
import { bounded, cast, scratch } from "../sessions.ts";
import { dyingAfter, isLeading, service, submit, until, view } from "./services.ts";

async function left({ address, httpAddress }: Service, id: string) {
  const jobs = connectJobs(givenAddresses([address]));
  const client = connectCoordinator(address, id);
  try {
    const { artifacts } = await jobs.artifacts(id);
    const model: Uint8Array[] = [];
    for await (const piece of jobs.fetch(id, "student/model.json")) model.push(piece);
    const events: ProgressEvent[] = [];
    for await (const event of client.watch()) events.push(event);
    return {
      paths: artifacts.map(({ path }) => path),
      model: Buffer.concat(model).toString(),
      last: events.at(-1)?.kind,
      page: await (await fetch(`http://${httpAddress}/jobs/${id}/`)).text(),
    };
  } finally {
    client.close();
    jobs.close();
  }
}

test(
  "a leader dies between a job's end and its report: the next one, on an empty folder, has both, and so has the one after it",
  bounded,
  async (t) => {
    const folder = await scratch(t);
    const url = (name: string) => String(pathToFileURL(join(folder, name)));
    const store = () => openFolderStore(join(folder, "store"));
    const job = testJob({ workers: { students: 2, teachers: 1 }, epochs: 4 });

    // What it has not put into the depot when it dies never comes there.
    const dying = dyingAfter(store(), "ended", () => void first.close("it dies"));
    const first: Service = await service("one", join(folder, "one"), dying, { depot: url("lost") });
    await until(() => isLeading(first));
    const id = await submit(first, { job: effectiveJobYaml(job, "/"), name: "ends" });
    const playing = cast(t, first);
    playing.catch(() => {}); // It is cut off.
    await first.finished;

    const depot = within(await openDepot(url("depot")), lastingJobId(job, "ends"));
    await depot.put("student/model.json", new TextEncoder().encode("as a worker put it"));
    const second = await service("two", join(folder, "two"), store(), { depot: url("depot") });
    const hasEnded = async (of: Service) =>
      /done|failed|cancelled/.test((await view(of, `?job=${id}`)).asked?.state ?? "");
    await until(() => hasEnded(second));
    const { asked } = await view(second, `?job=${id}`);
    assert.equal(asked!.state, "done", asked!.why);
    const there = await left(second, id);
    await second.close("another shall lead");

    const third = await service("three", join(folder, "three"), store(), { depot: url("depot") });
    t.after(() => third.close("the test is over"));
    await until(() => hasEnded(third));
    const later = await left(third, id);
    for (const { paths, model, last, page } of [there, later]) {
      for (const name of ["events.jsonl", "report.html", "report.json", "student/model.json"])
        assert.ok(paths.includes(name), `${name} is among ${paths.join(", ")}`);
      assert.ok(!paths.some((path) => path.includes("journal")), "which is nobody else's business");
      assert.deepEqual([model, last], ["as a worker put it", "job-finished"]);
      assert.match(page, /<a href="\/">All jobs<\/a>/, "its report");
    }
  },
);
