/** Submitting over the death of the leader, with real services: a job that was taken, and whose answer was lost, is begun once. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { openFolderStore } from "../../../coordinator/folder/store.ts";
import type { Service } from "../../../coordinator/service/main.ts";
import { connectJobs } from "../../../proto/jobs.ts";
import { givenAddresses } from "../../../proto/whereabouts.ts";
import { bounded, scratch } from "../sessions.ts";
import { dyingAfter, isLeading, jobFile, service, until, view } from "./services.ts";

test(
  "a leader dies between the record of a submission and its answer: the next one answers, for the same job",
  bounded,
  async (t) => {
    const folder = await scratch(t);
    const die = () => void first.close("it dies");
    const first: Service = await service("one", folder, dyingAfter(openFolderStore(folder), "submitted", die));
    await until(() => isLeading(first));
    const second = await service("two", folder, openFolderStore(folder));
    t.after(() => second.close("the test is over"));
    const jobs = connectJobs(givenAddresses([first.address, second.address]));
    t.after(() => jobs.close());

    const asked = { job: jobFile, name: "once", priority: 0, sources: [], by: "anna@lab" };
    const submitted = await jobs.submit({ ...asked, request: "one" });
    assert.deepEqual([submitted.created, submitted.state], [true, "queued"], "it is told to who submitted it");
    assert.deepEqual(
      [(await view(second)).standing, (await jobs.list()).map(({ id }) => id)],
      ["leading", [submitted.id]],
    );

    const again = await jobs.submit({ ...asked, request: "two" });
    assert.deepEqual([again.id, again.created], [submitted.id, false]);
    await jobs.control(submitted.id, "cancel", "");
    const lost = await jobs.submit({ ...asked, request: "one" });
    assert.deepEqual([lost.id, lost.created, lost.state], [submitted.id, true, "cancelled"]);
    const anew = await jobs.submit({ ...asked, request: "three" });
    assert.deepEqual([anew.created, anew.state], [true, "queued"]);
    assert.match(anew.why, new RegExp(`it is a new job: ${submitted.id}, the same, was cancelled$`));
    assert.equal((await jobs.list()).length, 2, "the old one stays in the list");
  },
);
