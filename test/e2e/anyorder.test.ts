/** Coordinators and workers that are started before their NATS, as in Kubernetes, where things start in any order. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { freeAddress } from "../freeport.ts";
import { startNats } from "../natsserver.ts";
import { type Running, scratchFolder, start } from "./limbeck.ts";
import { Said } from "./said.ts";

const bounded = { timeout: 120_000 };

interface Begun extends Running {
  readonly said: Said;
  /** host:port of its pages. */
  readonly http: string;
}

async function begin(t: TestContext, command: readonly string[]): Promise<Begun> {
  const http = await freeAddress();
  const running = start([...command, "--http", http, "-o", "json"]);
  t.after(async () => {
    running.process.kill("SIGTERM");
    await running.outcome;
  });
  return { ...running, said: new Said(running), http };
}

const statusOf = async (http: string, path: string) => (await fetch(`http://${http}${path}`)).status;
const countOf = (said: Said, event: string) => said.text.split(`"event":"${event}"`).length - 1;

test("they wait for NATS, say so once, live meanwhile, and find each other when it is there", bounded, async (t) => {
  const nats = await startNats(t);
  await nats.kill();
  const state = join(await scratchFolder(t), "state");
  const listen = await freeAddress();
  const [coordinator, worker] = await Promise.all([
    begin(t, ["coordinator", "--state", state, "--nats", nats.url, "--listen", listen]),
    begin(t, ["worker", "--name", "early", "--nats", nats.url]),
  ]);
  for (const { said, http } of [coordinator, worker]) {
    await said.until(/"event":"nats-away".*waiting for NATS at 127\.0\.0\.1:\d+, 600 s at the most: nobody answers/);
    assert.equal(await statusOf(http, "/healthz"), 200);
  }
  assert.equal(await statusOf(coordinator.http, "/readyz"), 503);
  await nats.restart();
  await coordinator.said.until(/"event":"leading"/);
  assert.equal(await statusOf(coordinator.http, "/readyz"), 200);
  await worker.said.until(/"event":"leader"/);
  for (const { process: child, outcome, said } of [worker, coordinator]) {
    assert.match(said.text, /"event":"nats-back".* is there after \d+\.\d s/);
    assert.equal(countOf(said, "nats-away"), 1);
    child.kill("SIGTERM");
    assert.equal((await outcome).code, 0);
  }
});

test(
  "told to go while they wait, they go in order; credentials that are refused end them, and who keeps them alive, with a sentence",
  bounded,
  async (t) => {
    const users = "authorization { user: limbeck, password: right }";
    const guarded = await startNats(t, { lines: [users] });
    const scratch = await scratchFolder(t);
    const coordinator = (url: string, state: string) =>
      begin(t, ["coordinator", "--state", join(scratch, state), "--nats", url, "--listen", "127.0.0.1:0"]);
    const worker = (url: string, ...supervised: string[]) => begin(t, ["worker", "--nats", url, ...supervised]);
    const kept = worker(guarded.url, "--state", join(scratch, "logs"));
    const refused = await Promise.all([coordinator(guarded.url, "a"), worker(guarded.url), kept]);
    for (const { outcome } of refused) {
      const { code, stderr } = await outcome;
      assert.equal(code, 2);
      assert.match(
        stderr,
        /^limbeck: (?:\S+ ended with code 2: )?NATS at 127\.0\.0\.1:\d+ does not accept these credentials: give a credentials file/m,
      );
      assert.doesNotMatch(stderr, /^\s+at |life 2$/m);
    }
    await guarded.kill();
    const waiting = await Promise.all([coordinator(guarded.url, "b"), worker(guarded.url)]);
    for (const { process: child, outcome, said } of waiting) {
      await said.until(/"event":"nats-away"/);
      child.kill("SIGTERM");
      assert.equal((await outcome).code, 0);
    }
  },
);
