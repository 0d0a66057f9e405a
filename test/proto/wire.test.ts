import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";
import { Server } from "@grpc/grpc-js";
import { LimbeckError, type LimbeckErrorCode } from "../../core/errors.ts";
import type { ProgressEvent } from "../../core/events.ts";
import { connectCoordinator } from "../../proto/clients.ts";
import type { CoordinatorHandlers } from "../../proto/gen/limbeck/v1/Coordinator.ts";
import { packagePath } from "../../proto/package.ts";
import { errorOfCall, statusOf } from "../../proto/status.ts";
import {
  coordinatorClient,
  coordinatorService,
  decodePullHeader,
  encodePullHeader,
  serverOptions,
} from "../../proto/wire.ts";
import { listen } from "../worker/exchange/cluster.ts";

test("the checked-in types are those of limbeck.proto", () => {
  const { status, stderr } = spawnSync(process.execPath, [packagePath("proto/generate.mjs"), "--check"], {
    encoding: "utf8",
  });
  assert.equal(status, 0, stderr);
});

test("a pull header travels unchanged", () => {
  const header = {
    term: 2 ** 40,
    kind: "partials",
    step: 7,
    bytes: 2 ** 33,
    checksum: 0xffffffff,
    nodes: [{ level: 2, index: 1 }],
  };
  const { examples, ...rest } = decodePullHeader(encodePullHeader({ ...header, examples: Uint8Array.of(1, 2) }));
  assert.deepEqual([...examples], [1, 2]);
  assert.deepEqual(
    { ...rest },
    { ...header, shmPath: "", shmOffset: 0, sha256: "", errorCode: "", error: "", replica: "" },
  );
});

test("an order to all members is encoded once, for its term and leader", () => {
  const { responseSerialize, responseDeserialize } = coordinatorService.Join;
  const assign = { stage: "teach", steps: 7, students: [{ worker: "w1", firstLane: 0, lanes: 4 }] };
  const encoded = (term: number, fence: number) => responseSerialize({ term, fence, assign, body: "assign" });
  assert.equal(encoded(1, 5), encoded(1, 5));
  for (const [term, fence] of [
    [1, 5],
    [2, 5],
    [2, 6],
    [1, 5],
  ] as const) {
    const read = responseDeserialize(encoded(term, fence));
    assert.deepEqual([read.term, read.fence, read.assign!.students[0]!.worker], [term, fence, "w1"]);
  }
});

async function openCoordinator(
  t: { after(done: () => void): void },
  handlers: Partial<CoordinatorHandlers>,
): Promise<string> {
  const server = new Server(serverOptions);
  server.addService(coordinatorService, handlers as CoordinatorHandlers);
  t.after(() => server.forceShutdown());
  return await listen(server);
}

test("an error keeps its code and message through a call", async (t) => {
  const codes: LimbeckErrorCode[] = [
    "bad_job",
    "stale_term",
    "wrong_key",
    "corrupt",
    "lost_worker",
    "stopped",
    "internal",
  ];
  for (const code of codes) {
    const failing = await openCoordinator(t, {
      Stop: (_call, reply) => reply(statusOf(new LimbeckError(code, "lanes.count: 3 – zu wenig"))),
    });
    const client = connectCoordinator(failing);
    t.after(() => client.close());
    await assert.rejects(client.stop("enough"), { code, message: "lanes.count: 3 – zu wenig" });
  }
});

test("what no header can hold is told as far as it can be, also of a stream that has begun", async (t) => {
  const error = new LimbeckError("corrupt", `half a character \ud83d, and more ${"é".repeat(50_000)}`);
  const address = await openCoordinator(t, {
    Stop: (_call, reply) => reply(statusOf(error)),
    Watch(call) {
      call.write({ event: "{}" });
      call.emit("error", statusOf(error));
    },
  });
  const client = connectCoordinator(address);
  t.after(() => client.close());
  const whole = (thrown: Error) => /^half a character \ufffd, and more é+…$/.test(thrown.message);
  await assert.rejects(client.stop("enough"), whole);
  const watching = client.watch();
  await watching.next();
  await assert.rejects(watching.next(), whole);
});

test("what gRPC says itself becomes our codes, and names who was called", async (t) => {
  const silent = await openCoordinator(t, { Stop: () => {} });
  const client = coordinatorClient(silent);
  t.after(() => client.close());
  const failure = (options: { deadline: number }) =>
    new Promise<LimbeckError>((resolve) =>
      client.stop({}, options, (error) => resolve(errorOfCall(error, "the coordinator"))),
    );
  const late = await failure({ deadline: Date.now() + 50 });
  assert.equal(late.code, "timeout");
  assert.equal(late.message, "the coordinator: no answer in time");

  const nobody = connectCoordinator("127.0.0.1:1");
  t.after(() => nobody.close());
  await assert.rejects(nobody.stop(""), { code: "unavailable", message: /the coordinator at 127.0.0.1:1/ });
  await assert.rejects(nobody.watch().next(), { code: "unavailable", message: /the coordinator at 127.0.0.1:1/ });
});

test("errors that are none of gRPC's pass through", () => {
  const own = new LimbeckError("diverged", "loss is NaN");
  assert.equal(errorOfCall(own, "x"), own);
  assert.equal(errorOfCall(new TypeError("oops"), "x").code, "internal");
});

test("watching gives the job's events until it ends, and may be left early", async (t) => {
  const events: ProgressEvent[] = [
    { kind: "worker-lost", worker: "w1", why: "gone", silentMs: 1, atMs: 1 },
    { kind: "job-stopped", why: "enough", atMs: 2 },
  ];
  const address = await openCoordinator(t, {
    Watch(call) {
      for (const event of events) call.write({ event: JSON.stringify(event) });
      call.end();
    },
  });
  const client = connectCoordinator(address);
  t.after(() => client.close());
  const seen: ProgressEvent[] = [];
  for await (const event of client.watch()) seen.push(event);
  assert.deepEqual(seen, events);
  for await (const event of client.watch()) {
    assert.deepEqual(event, events[0]);
    break;
  }
});
