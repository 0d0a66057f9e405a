/** The health of several workers in one pod, which a kubelet asks of their supervisor. */
import assert from "node:assert/strict";
import { chmodSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { test } from "node:test";
import { serveSharedHealth } from "../../cli/sharedhealth.ts";
import { content } from "../deploy/chart/probe.ts";
import { freeAddress, freePort } from "../freeport.ts";
import { healthOf } from "../healthclient.ts";
import { childrenOf, lasting, scratchFolder, start } from "./limbeck.ts";

const bounded = { timeout: 180_000 };

test("a supervisor of two workers serves when they do, and not when both have died", bounded, async (t) => {
  const folder = await scratchFolder(t);
  const driver = join(folder, "nvidia-smi");
  writeFileSync(driver, '#!/bin/sh\ntest "$1" = -L || exit 1\necho "GPU 0: H100"\necho "GPU 1: H100"\n');
  chmodSync(driver, 0o755);
  const health = await freeAddress();
  const args = ["--devices=all", "--coordinator=127.0.0.1:1", "--patience=180s", `--health=${health}`];
  const env = { PATH: `${folder}${delimiter}${process.env["PATH"]}` };
  const supervisor = start(["worker", ...args], env, lasting);
  t.after(() => void supervisor.process.kill("SIGTERM"));
  await content(health);
  const client = healthOf(health);
  t.after(() => client.close());
  const workers = childrenOf(supervisor.process.pid!);
  assert.equal(workers.length, 2);
  const said = client.watch();
  assert.equal((await said.next()).value, "SERVING");
  for (const pid of workers) process.kill(pid, "SIGKILL");
  assert.equal((await said.next()).value, "NOT_SERVING");
  assert.equal((await said.next()).value, "SERVING", "they were started again");
  supervisor.process.kill("SIGTERM");
  assert.equal((await supervisor.outcome).code, 0);
});

test("one worker of two that takes work is enough", bounded, async (t) => {
  const { host, port } = await freePort();
  const shared = await serveSharedHealth({ host, port });
  const client = healthOf(`${host}:${port}`);
  t.after(() => {
    client.close();
    shared.close();
  });
  const [one, other] = [shared.hear("one"), shared.hear("other")];
  assert.equal(await client.check(), "NOT_SERVING");
  one("SERVING");
  other("SERVING");
  one("NOT_SERVING");
  assert.equal(await client.check(), "SERVING");
  other("NOT_SERVING");
  assert.equal(await client.check(), "NOT_SERVING");
});
