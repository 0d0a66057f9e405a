/** A worker's stream at the coordinator's door: over real gRPC, what is out of order or too much is refused, and others stay. */
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import type { Coordinator } from "../../coordinator/main.ts";
import { Pace } from "../../coordinator/pace.ts";
import type { JobStatus } from "../../coordinator/status.ts";
import type { LimbeckError } from "../../core/errors.ts";
import type { FromWorker } from "../../proto/gen/limbeck/v1/FromWorker.ts";
import { packageVersion } from "../../proto/package.ts";
import { errorOfCall } from "../../proto/status.ts";
import { coordinatorClient } from "../../proto/wire.ts";
import { Actor } from "./actor.ts";
import { bounded, get, started, watched } from "./sessions.ts";

const hello = (name: string) => new Actor(name, "student").hello(packageVersion);
const beat = (doing: string): FromWorker => ({ term: 0, body: "heartbeat", heartbeat: { doing, residentBytes: 1 } });

/** @returns what the session is refused with */
function refused(t: TestContext, { address }: Coordinator, messages: readonly FromWorker[]): Promise<LimbeckError> {
  const client = coordinatorClient(address);
  t.after(() => client.close());
  const stream = client.join();
  for (const message of messages) stream.write(message);
  stream.resume();
  return new Promise((resolve) => stream.on("error", (error) => resolve(errorOfCall(error, "the coordinator"))));
}

async function workersOf(coordinator: Coordinator): Promise<string[]> {
  const { workers } = JSON.parse((await get(coordinator, "/state")).text) as JobStatus;
  return workers.map(({ worker }) => worker);
}

test("a session begins with one hello: by a second it would be two workers", bounded, async (t) => {
  const coordinator = await started(t);
  const early = await refused(t, coordinator, [beat("acting"), hello("early")]);
  assert.deepEqual([early.code, early.message], ["corrupt", "a session began with heartbeat, not with a hello"]);
  const twice = await refused(t, coordinator, [hello("one"), hello("two"), hello("three")]);
  assert.match(twice.message, /a second hello came in one session/);
  assert.deepEqual(await workersOf(coordinator), []);
});

test("what was said after a session was refused is not heard", bounded, async (t) => {
  const coordinator = await started(t);
  const old = { ...hello("old"), hello: { ...hello("old").hello, build: "0.0.1" } };
  // No second hello among it: the session would be refused for whichever of both is decided first.
  const { message } = await refused(t, coordinator, [old, beat("acting"), beat("still acting")]);
  assert.match(message, /old is Limbeck 0\.0\.1/);
  assert.deepEqual(await workersOf(coordinator), []);
});

test("half a character in what a session is refused for ends the session, not the process", bounded, async (t) => {
  const coordinator = await started(t);
  const name = `${"w".repeat(249)}\u{1f600}`;
  const old = { ...hello(name), hello: { ...hello(name).hello, role: `${"k".repeat(3_999 - 263)}\u{1f600}` } };
  const { code } = await refused(t, coordinator, [old]);
  assert.equal(code, "usage");
  assert.deepEqual(await workersOf(coordinator), []);
});

test(
  "who says something new in every heartbeat is heard as fast as can be kept, and others at once",
  bounded,
  async (t) => {
    const coordinator = await started(t);
    const client = coordinatorClient(coordinator.address);
    t.after(() => client.close());
    const stream = client.join();
    stream.on("error", () => {}).resume();
    stream.write(hello("chatty"));
    for (let count = 0; count < 3_000; count++) stream.write(beat(`acting ${count}`));
    const other = await refused(t, coordinator, [{ ...hello("old"), hello: { ...hello("old").hello, build: "0" } }]);
    assert.equal(other.code, "usage");
    stream.cancel();
    coordinator.stop("the test is over");
    const told = (await watched(coordinator.address)).filter(({ kind }) => kind === "worker-status");
    assert.ok(told.length > 0 && told.length < 500, `${told.length} of 3000 were kept`);
  },
);

test("a pace lets some come at once, and then so many in a second", () => {
  const pace = new Pace({ burst: 3, perSecond: 10 });
  assert.deepEqual(
    [1, 2, 3, 4, 5].map(() => pace.take(1_000)),
    [0, 0, 0, 100, 200],
  );
  assert.equal(pace.take(1_300), 0, "what was waited for is over");
  assert.deepEqual(
    [1, 2, 3, 4].map(() => pace.take(9_000)),
    [0, 0, 0, 100],
    "no more than the burst is saved up",
  );
});
