/** What is asked of a service in no due form is refused with what is wrong, and the service goes on. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { openFolderStore } from "../../../coordinator/folder/store.ts";
import type { Service } from "../../../coordinator/service/main.ts";
import { errorOfCall } from "../../../proto/status.ts";
import { coordinatorClient, jobsClient } from "../../../proto/wire.ts";
import { scratch } from "../sessions.ts";
import { jobFile, service, submit, until } from "./services.ts";

const bounded = { timeout: 30_000 };

async function leading(t: TestContext): Promise<Service> {
  const state = join(await scratch(t), "state");
  const running = await service("c1", state, openFolderStore(state));
  t.after(() => running.close("the test is over"));
  await until(() => submit(running, { job: jobFile, name: "first" }).then(Boolean, () => false));
  return running;
}

async function message(asking: Promise<unknown>): Promise<string> {
  return await asking.then(
    () => "",
    (error) => errorOfCall(error, "the service").message,
  );
}

test("half a character in a job file, as YAML can write it, is told as a mistake", bounded, async (t) => {
  const running = await leading(t);
  for (const job of ['"\\ud800": 1', 'name: "\\ud800"', '{ name: a, "\\udc00x": "\\ud800" }'])
    assert.notEqual(await message(submit(running, { job })), "", job);
  assert.ok(await submit(running, { job: jobFile, name: "still-there" }));
});

test("a job file that would take long to read is not read", bounded, async (t) => {
  const running = await leading(t);
  assert.match(
    await message(submit(running, { job: "a: [".repeat(200_000) })),
    /the submitted job: has 800000 characters, a job file may have \d+$/,
  );
});

test("names that are long are quoted in short", bounded, async (t) => {
  const running = await leading(t);
  const client = coordinatorClient(running.address);
  t.after(() => client.close());
  const answer = new Promise((_, reject) =>
    client.status({ job: "\u{1f600}".repeat(100_000) }, (error) => reject(error)),
  );
  const told = await message(answer);
  assert.ok(told.length < 5_000 && /^no job is called/.test(told), told.slice(0, 200));
});

test("a path that is no file of the job's is refused to who fetches it", bounded, async (t) => {
  const running = await leading(t);
  const client = jobsClient(running.address);
  t.after(() => client.close());
  const job = "first";
  const paths = ["../../service.jsonl", "\u0000", "", ".", "journal.jsonl", "/etc/passwd", "a/../../../x"];
  for (const path of paths) {
    const call = client.fetch({ job, path });
    const error = await new Promise((resolve) => call.on("error", resolve).on("data", () => resolve(null)));
    assert.ok(error, JSON.stringify(path));
  }
});
