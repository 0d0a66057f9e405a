/** /readyz of the coordinators of a service: whether each can decide, or can follow who does, while their store comes and goes. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { openFolderStore } from "../../../coordinator/folder/store.ts";
import { awaitNatsStore } from "../../../coordinator/nats/awaited.ts";
import type { Service } from "../../../coordinator/service/main.ts";
import { errorOfCall } from "../../../proto/status.ts";
import { startNats } from "../../natsserver.ts";
import { bounded, scratch } from "../sessions.ts";
import { jobFile, service, submit, until } from "./services.ts";

async function readiness({ httpAddress }: Service): Promise<{ status: number; text: string }> {
  const response = await fetch(`http://${httpAddress}/readyz`);
  return { status: response.status, text: await response.text() };
}

test("while NATS is away for longer than the lease nobody is ready, and each says why", {
  timeout: 60_000,
}, async (t) => {
  const nats = await startNats(t);
  const folder = await scratch(t);
  const open = async (name: string) => {
    const store = awaitNatsStore({ nats: { urls: [nats.url], name }, cluster: "test", ttlMs: 1_000 });
    const opened = await service(name, folder, store);
    t.after(() => opened.close("the test is over"));
    return opened;
  };
  const leader = await open("one");
  const says = (of: Service, text: string) => async () => (await readiness(of)).text === text;
  await until(says(leader, "leads\n"));
  const follower = await open("two");
  await until(says(follower, "stands by; one leads\n"));

  await nats.kill();
  const isUnready = async () =>
    (await Promise.all([leader, follower].map(readiness))).every((each) => each.status === 503);
  await until(isUnready);
  assert.match((await readiness(leader)).text, /^it leads, and waits for its lease/);
  assert.match(
    (await readiness(follower)).text,
    /^it stands by, and can neither lead nor follow: NATS at 127\.0\.0\.1:\d+ has not answered for \d+\.\d s$/m,
  );
  // It has not been heard by one that might not decide for long: who asks again may find another.
  const code = "not_leader";
  const message =
    /^the leader waits for its lease, and decides nothing now: NATS at \S+ has not answered for \d+\.\d s$/;
  const refused = submit(leader, { job: jobFile }).catch((thrown) => Promise.reject(errorOfCall(thrown, "the leader")));
  await assert.rejects(refused, { code, message });
  await nats.restart();
  await until(says(leader, "leads\n"));
  await until(says(follower, "stands by; one leads\n"));
});

test("on a folder one leads, and the other follows", bounded, async (t) => {
  const folder = await scratch(t);
  const [leader, follower] = [
    await service("one", folder, openFolderStore(folder)),
    await service("two", folder, openFolderStore(folder)),
  ];
  for (const each of [leader, follower]) t.after(() => each.close("the test is over"));
  await until(async () => (await readiness(leader)).text === "leads\n");
  await until(async () => (await readiness(follower)).text === "stands by; one leads\n");
});
