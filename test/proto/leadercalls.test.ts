/** A coordinator that is there and does not answer keeps no question from the one that leads. */
import assert from "node:assert/strict";
import { text } from "node:stream/consumers";
import { test } from "node:test";
import { connectCoordinator } from "../../proto/clients.ts";
import type { JobsHandlers } from "../../proto/gen/limbeck/v1/Jobs.ts";
import { connectJobs } from "../../proto/jobs.ts";
import { NotLeader } from "../../proto/notleader.ts";
import { statusOf } from "../../proto/status.ts";
import { givenAddresses, type Whereabouts } from "../../proto/whereabouts.ts";
import { client, frozen, serve, standingBy, submission } from "./fakecoordinator.ts";

const bounded = { timeout: 40_000 };
const taken = { job: "a-0001", created: true, state: "queued", why: "" };
const takes: Partial<JobsHandlers> = { Submit: (_, answer) => answer(null, taken) };

test("one that takes connections and says nothing is passed over: by submissions, orders, lists, files and events", {
  timeout: 90_000,
}, async (t) => {
  const event = JSON.stringify({ kind: "worker-left", worker: "w1", why: "", atMs: 1 });
  const leader = await serve(t, {
    jobs: {
      ...takes,
      Control: (_, answer) => answer(null, { state: "paused", why: "" }),
      Artifacts: (_, answer) => answer(null, { where: "here", artifacts: [] }),
      Fetch(call) {
        call.write({ bytes: Buffer.from("whole") });
        call.end();
      },
    },
    coordinator: {
      Status: (_, answer) => answer(null, { status: "fine" }),
      Watch(call) {
        call.write({ event, after: 1 });
        call.end();
      },
    },
  });
  const addresses = [await frozen(t), leader.address];
  const jobs = () => client(t, ...addresses);
  const job = () => {
    const opened = connectCoordinator(givenAddresses(addresses), "a-0001");
    t.after(() => opened.close());
    return opened;
  };
  const watched = async () => {
    for await (const each of job().watch({ patientUntil: t.signal })) return each;
    return null;
  };
  const fetcher = jobs();
  const fetched = () => text(fetcher.fetch("a-0001", "report.json"));
  const answers = await Promise.all([
    jobs().submit(submission),
    jobs().control("a-0001", "pause", ""),
    jobs().artifacts("a-0001"),
    job().status(),
    watched(),
    fetched().catch(fetched), // Who fetches begins anew himself.
  ]);
  assert.deepEqual(answers, [
    { id: "a-0001", created: true, state: "queued", why: "" },
    { state: "paused", why: "" },
    { where: "here", artifacts: [] },
    "fine",
    JSON.parse(event),
    "whole",
  ]);
});

test("where nobody else is, that is said, and not asked for ever", bounded, async (t) => {
  const address = await frozen(t);
  await assert.rejects(client(t, address).submit(submission), {
    code: "unavailable",
    message: `the coordinator at ${address} does not answer`,
  });
});

test(
  "who stands by says that the one leads that does not answer: that is what is told in the end",
  bounded,
  async (t) => {
    const leader = await frozen(t);
    const standby = await serve(t, { jobs: standingBy(leader) });
    const told = { code: "not_leader", message: new RegExp(`^c2 stands by: c1 at ${leader} leads`) };
    await assert.rejects(client(t, leader, standby.address).list(), told);
  },
);

test("a leader that cannot decide is left for another; one that is but slow is given the time", bounded, async (t) => {
  let asked = 0;
  const slow = await serve(t, {
    jobs: {
      // What it is asked at first it never answers; asked again it has done it.
      Submit: (call, answer) => (++asked === 1 ? undefined : takes.Submit!(call, answer)),
    },
  });
  const redirect = statusOf(new NotLeader(slow.address, "c2 stands by"));
  const standby = await serve(t, { jobs: { Submit: (_, answer) => answer(redirect) } });
  assert.equal((await client(t, slow.address, standby.address).submit(submission)).id, "a-0001");
  assert.equal(asked, 2);
});

test("a question to one that leads no more is broken off as soon as another is known to", bounded, async (t) => {
  const next = await serve(t, { jobs: takes });
  let address = "";
  const listeners = new Set<(address: string) => void>();
  let leftMs = Number.NaN;
  const first = await serve(t, {
    jobs: {
      Submit(call) {
        call.on("cancelled", () => {
          leftMs = Number(call.getDeadline()) - Date.now();
        });
        address = next.address;
        for (const moved of listeners) moved(address);
      },
    },
  });
  address = first.address;
  const where: Whereabouts = {
    ...{ where: "the cluster", isElected: true, isGuessed: false, address: () => address, tried() {} },
    onMoved(moved) {
      listeners.add(moved);
      return () => void listeners.delete(moved);
    },
  };
  const jobs = connectJobs(where);
  t.after(() => jobs.close());
  assert.equal((await jobs.submit(submission)).id, "a-0001");
  assert.ok(leftMs > 0, "before its deadline");
  assert.equal(listeners.size, 0);
});
