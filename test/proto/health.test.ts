/** The health service on a port of its own. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Client, credentials, type MethodDefinition, status } from "@grpc/grpc-js";
import { service } from "grpc-health-check";
import { serveHealth } from "../../proto/health.ts";
import { jobsClient } from "../../proto/wire.ts";

test("it says what it was told, and serves nothing else", async (t) => {
  const health = await serveHealth({ host: "127.0.0.1", port: 0 });
  t.after(() => health.close());
  const client = new Client(health.address, credentials.createInsecure());
  const { path, requestSerialize, responseDeserialize } = service["Check"] as MethodDefinition<
    object,
    { status: string }
  >;
  const check = () =>
    new Promise((resolve, reject) =>
      client.makeUnaryRequest(path, requestSerialize, responseDeserialize, {}, (error, reply) =>
        error ? reject(error) : resolve(reply!.status),
      ),
    );
  assert.equal(await check(), "NOT_SERVING");
  health.set("SERVING");
  assert.equal(await check(), "SERVING");
  health.set("NOT_SERVING");
  assert.equal(await check(), "NOT_SERVING");
  client.close();
  const jobs = jobsClient(health.address);
  const code = await new Promise((resolve) => jobs.list({}, (error) => resolve(error?.code)));
  assert.equal(code, status.UNIMPLEMENTED);
  jobs.close();
  await assert.rejects(
    serveHealth({ host: "127.0.0.1", port: Number(health.address.split(":")[1]) }),
    /choose another with --health/,
  );
});
