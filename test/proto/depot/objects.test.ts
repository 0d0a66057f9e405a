/** What JetStream's object store has that others have not: an object is a description and chunks, which go one after the other. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { NatsConnection } from "nats";
import { depotOn } from "../../../proto/depot/depot.ts";
import { objectShelf } from "../../../proto/depot/objects.ts";
import { connectNats } from "../../../proto/nats.ts";
import { scratchFolder } from "../../e2e/limbeck.ts";
import { startNats } from "./natsserver.ts";

/** The same, which breaks as soon as chunks are to go. */
function breaking(connection: NatsConnection): NatsConnection {
  let isBroken = false;
  return new Proxy(connection, {
    get(target, key) {
      if (key !== "jetstreamManager") {
        const value = Reflect.get(target, key) as unknown;
        return typeof value === "function" ? value.bind(target) : value;
      }
      return async (...options: Parameters<NatsConnection["jetstreamManager"]>) => {
        const manager = await target.jetstreamManager(...options);
        const purge = manager.streams.purge.bind(manager.streams);
        manager.streams.purge = async (stream, asked) => {
          if (isBroken || !/\.C\./.test(JSON.stringify(asked))) return await purge(stream, asked);
          isBroken = true;
          throw new Error("the connection broke");
        };
        return manager;
      };
    },
  });
}

test("a connection that breaks after the first part of a removal leaves no chunks behind", {
  timeout: 60_000,
}, async (t) => {
  const address = await startNats(t, await scratchFolder(t));
  if (address === null) return t.skip("nats-server is not installed");
  const nats = await connectNats({ urls: [`nats://${address}`], name: "a test" });
  t.after(() => nats.close());
  const depot = depotOn(await objectShelf(breaking(nats.connection), { cluster: "tests" }));
  await depot.put("job/weights", new Uint8Array(300_000));
  await depot.remove("job");
  const manager = await nats.connection.jetstreamManager();
  const { state } = await manager.streams.info("OBJ_limbeck-tests-artifacts");
  assert.equal(state.messages, 0);
});
