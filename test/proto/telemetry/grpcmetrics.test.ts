/** Calls are counted on both sides, by how they ended, over a real connection. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Server, ServerCredentials } from "@grpc/grpc-js";
import { Registry } from "prom-client";
import { LimbeckError } from "../../../core/errors.ts";
import type { CoordinatorHandlers } from "../../../proto/gen/limbeck/v1/Coordinator.ts";
import { statusOf } from "../../../proto/status.ts";
import { clientMetrics, serverMetrics } from "../../../proto/telemetry/grpcmetrics.ts";
import { coordinatorClient, coordinatorService, serverOptions } from "../../../proto/wire.ts";
import { assertWellFormed, series } from "../../metricstext.ts";

test("calls that end well, are refused, or are broken off are counted with their messages", async (t) => {
  const registry = new Registry();
  const interceptors = [serverMetrics(registry, [coordinatorService])];
  const server = new Server({ ...serverOptions, interceptors });
  const handlers: CoordinatorHandlers = {
    Stop: (_, answer) => answer(null, {}),
    Status: (_, answer) => answer(null, {}),
    Watch(call) {
      for (let event = 0; event < 3; event++) call.write({ event: String(event) });
      call.emit("error", statusOf(new LimbeckError("timeout", "too late")));
    },
    Join(call) {
      call.on("data", () => call.write({ term: 1 }));
      call.on("error", () => {});
    },
  };
  server.addService(coordinatorService, handlers);
  t.after(() => server.forceShutdown());
  const port = await new Promise<number>((resolve, reject) => {
    const bound = (error: Error | null, port: number) => (error ? reject(error) : resolve(port));
    server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), bound);
  });
  const client = coordinatorClient(`127.0.0.1:${port}`, {
    interceptors: [clientMetrics(registry, [coordinatorService])],
  });
  t.after(() => client.close());

  await new Promise((resolve) => client.stop({ why: "" }, resolve));
  await assert.rejects(async () => {
    for await (const _ of client.watch({ from: 0 }));
  }, /too late/);
  const joined = client.join();
  joined.on("error", () => {});
  joined.write({ term: 0 });
  await new Promise((resolve) => joined.once("data", resolve));
  const ended = new Promise((resolve) => joined.once("status", resolve));
  joined.cancel();
  await ended;
  // The server hears of it a moment later: what follows on the same connection comes after that.
  await new Promise((resolve) => client.stop({ why: "" }, resolve));

  const text = await registry.metrics();
  assertWellFormed(text);
  const all = series(text);
  const value = (name: string, grpc_method: string, grpc_code?: string) =>
    all.find(
      ({ name: each, labels }) =>
        each === name && labels["grpc_method"] === grpc_method && (!grpc_code || labels["grpc_code"] === grpc_code),
    )?.value;
  for (const side of ["grpc_server", "grpc_client"]) {
    assert.equal(value(`${side}_started_total`, "Stop"), 2, side);
    assert.equal(value(`${side}_handled_total`, "Stop", "OK"), 2, side);
    assert.equal(value(`${side}_handled_total`, "Watch", "DeadlineExceeded"), 1, side);
    assert.equal(value(`${side}_handled_total`, "Join", "Cancelled"), 1, side);
    assert.equal(value(`${side}_handled_total`, "Join", "OK"), 0, side);
    assert.equal(value(`${side}_handling_seconds_count`, "Watch"), 1, side);
  }
  assert.equal(value("grpc_server_msg_sent_total", "Watch"), 3);
  assert.equal(value("grpc_client_msg_received_total", "Watch"), 3);
  assert.equal(value("grpc_client_msg_sent_total", "Join"), 1);
  assert.equal(value("grpc_server_msg_received_total", "Join"), 1);
});
