/** The health service on a port of its own. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Server, status } from "@grpc/grpc-js";
import { HealthImplementation } from "grpc-health-check";
import { addHealth, serveHealth } from "../../proto/health.ts";
import { jobsClient } from "../../proto/wire.ts";
import { healthOf } from "../healthclient.ts";
import { listen } from "../worker/exchange/cluster.ts";

test("it says what it was told, and serves nothing else", async (t) => {
  const health = await serveHealth({ host: "127.0.0.1", port: 0 });
  t.after(() => health.close());
  const client = healthOf(health.address);
  t.after(() => client.close());
  assert.equal(await client.check(), "NOT_SERVING");
  const seen = client.watch();
  assert.equal((await seen.next()).value, "NOT_SERVING");
  for (const told of ["SERVING", "NOT_SERVING"] as const) {
    health.set(told);
    assert.equal(await client.check(), told);
    assert.equal((await seen.next()).value, told);
  }
  const jobs = jobsClient(health.address);
  const code = await new Promise((resolve) => jobs.list({}, (error) => resolve(error?.code)));
  assert.equal(code, status.UNIMPLEMENTED);
  jobs.close();
  await assert.rejects(
    serveHealth({ host: "127.0.0.1", port: Number(health.address.split(":")[1]) }),
    /choose another with --health/,
  );
  health.close();
  assert.deepEqual(await seen.next(), { value: undefined, done: true });
});

test("of names that nobody has nothing is kept, and who watches one is told that it is unknown", async (t) => {
  const health = new HealthImplementation({ "": "SERVING" });
  const server = new Server();
  addHealth(server, health);
  const client = healthOf(await listen(server));
  t.after(() => {
    client.close();
    server.forceShutdown();
  });
  const watched = async (name: string) => {
    const seen = client.watch(name);
    const { value } = await seen.next();
    await seen.return(undefined);
    return value;
  };
  assert.equal(await watched(""), "SERVING");
  for (let count = 0; count < 20; count++) assert.equal(await watched(`nobody-${count}`), "SERVICE_UNKNOWN");
  assert.deepEqual([...(health as unknown as { watchers: Map<string, unknown> }).watchers.keys()], [""]);
});
