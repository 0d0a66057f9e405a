/** Calls about jobs find whoever decides: over redirects, elections, lost answers and coordinators that are not there. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { LimbeckError } from "../../core/errors.ts";
import { connectCoordinator } from "../../proto/clients.ts";
import type { JobsHandlers } from "../../proto/gen/limbeck/v1/Jobs.ts";
import { connectJobs } from "../../proto/jobs.ts";
import { NotLeader } from "../../proto/notleader.ts";
import { isUnimplemented, statusOf } from "../../proto/status.ts";
import { givenAddresses } from "../../proto/whereabouts.ts";
import { client, empty, serve, standingBy, submission } from "./fakecoordinator.ts";

const bounded = { timeout: 30_000 };

test("one that stands by names the one to ask", bounded, async (t) => {
  const leader = await serve(t, { jobs: empty });
  const standby = await serve(t, { jobs: standingBy(leader.address) });
  assert.deepEqual(await client(t, standby.address).list(), []);
});

test("of several addresses one that is dead is passed over", bounded, async (t) => {
  const leader = await serve(t, { jobs: empty });
  const standby = await serve(t, { jobs: standingBy(leader.address) });
  const dead = await serve(t, {});
  dead.end();
  assert.deepEqual(await client(t, dead.address, standby.address).list(), []);
});

test("a leader that is named and dead is waited for, until another is", bounded, async (t) => {
  const dead = await serve(t, {});
  dead.end();
  let asked = 0;
  const standby = await serve(t, {
    jobs: {
      List: (call, answer) => (++asked < 4 ? standingBy(dead.address).List!(call, answer) : empty.List!(call, answer)),
    },
  });
  assert.deepEqual(await client(t, standby.address).list(), []);
  assert.equal(asked, 4);
});

test("an answer that was lost is asked for again, with the same submission", bounded, async (t) => {
  const heard: unknown[] = [];
  const first = await serve(t, {
    jobs: {
      Submit({ request }) {
        heard.push(request);
        first.end();
        const port = Number(first.address.split(":")[1]);
        const Submit: JobsHandlers["Submit"] = ({ request }, answer) => {
          heard.push(request);
          answer(null, { job: "a-0001", created: false, state: "running", why: "" });
        };
        void serve(t, { jobs: { Submit }, port });
      },
    },
  });
  const found = await client(t, first.address).submit(submission);
  assert.deepEqual(found, { id: "a-0001", created: false, state: "running", why: "" });
  assert.equal(heard.length, 2);
  assert.deepEqual(heard[0], heard[1]);
});

test("that an answer is late is said once, while it is waited for", bounded, async (t) => {
  let answer = () => {};
  const List: JobsHandlers["List"] = (_, reply) => {
    answer = () => reply(null, { jobs: "[]" });
  };
  const slow = await serve(t, { jobs: { List } });
  let told = 0;
  const jobs = connectJobs(givenAddresses([slow.address]), () => {
    told++;
    answer();
  });
  t.after(() => jobs.close());
  assert.deepEqual(await jobs.list(), []);
  assert.equal(told, 1);
});

test("where nobody is, that is said at once; what is refused is not asked twice", bounded, async (t) => {
  const dead = await serve(t, {});
  dead.end();
  await assert.rejects(client(t, dead.address).list(), { code: "unavailable" });
  let asked = 0;
  const refusing = await serve(t, {
    jobs: {
      Submit(_, answer) {
        asked++;
        answer(statusOf(new LimbeckError("unavailable", "the journal's disk is full")));
      },
    },
  });
  await assert.rejects(client(t, refusing.address).submit(submission), { message: "the journal's disk is full" });
  assert.equal(asked, 1);
});

test("a coordinator of one job says that it has no service of jobs", bounded, async (t) => {
  const alone = await serve(t, {});
  await assert.rejects(client(t, alone.address).list(), (thrown) => isUnimplemented(thrown));
});

test("who watches goes on at the next leader with the next event", bounded, async (t) => {
  const requests: { readonly from: number; readonly job: string }[] = [];
  const event = (worker: string) => JSON.stringify({ kind: "worker-left", worker, why: "", atMs: 1 });
  const next = await serve(t, {
    coordinator: {
      Watch(call) {
        requests.push(call.request);
        call.write({ event: event("w2"), after: 2 });
        call.end();
      },
    },
  });
  const first = await serve(t, {
    coordinator: {
      Watch(call) {
        requests.push(call.request);
        if (requests.length === 1) call.write({ event: event("w1"), after: 1 });
        call.emit("error", statusOf(new NotLeader(next.address, "c1 leads no more")));
      },
    },
  });
  const watcher = connectCoordinator(first.address, "a-0001");
  t.after(() => watcher.close());
  let away = 0;
  const onAway = () => void away++;
  const seen: unknown[] = [];
  for await (const each of watcher.watchNumbered({ patientUntil: AbortSignal.timeout(20_000), onAway }))
    seen.push(each);
  assert.deepEqual(seen, [
    [JSON.parse(event("w1")), 1],
    [JSON.parse(event("w2")), 2],
  ]);
  const told = requests.map(({ from, job }) => [from, job]);
  assert.deepEqual(told, [
    [0, "a-0001"],
    [1, "a-0001"],
  ]);
  assert.equal(away, 1);
});

test("a download goes on where the same leader is seen again, and ends where another is", bounded, async (t) => {
  let finish = () => {};
  const Fetch: JobsHandlers["Fetch"] = (call) => {
    call.write({ bytes: Buffer.from("one") });
    finish = () => {
      call.write({ bytes: Buffer.from("two") });
      call.end();
    };
  };
  const { address } = await serve(t, { jobs: { Fetch } });
  let moved: (to: string) => void = () => {};
  const where = {
    ...givenAddresses([address]),
    onMoved(listener: (to: string) => void) {
      moved = listener;
      return () => {};
    },
  };
  const jobs = connectJobs(where);
  t.after(() => jobs.close());
  const fetch = async () => {
    const pieces = jobs.fetch("a-0001", "model.bin");
    const next = async () => String((await pieces.next()).value);
    assert.equal(await next(), "one");
    return next;
  };
  const again = await fetch();
  moved(address);
  finish();
  assert.equal(await again(), "two");
  const elsewhere = await fetch();
  moved("127.0.0.1:1");
  const message = "the leader changed while model.bin was fetched: ask again";
  await assert.rejects(elsewhere(), { code: "unavailable", message });
});
