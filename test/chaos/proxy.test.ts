import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { type TestContext, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { until } from "./chaos.ts";
import { type Address, FaultyLink } from "./proxy.ts";

/** A server that answers with what it is sent, marked. */
async function echo(t: TestContext, mark = ""): Promise<Address> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("data", (bytes) => socket.write(mark + bytes)).on("error", () => {});
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return { host: "127.0.0.1", port: (server.address() as { port: number }).port };
}

async function opened(
  t: TestContext,
  target: Address,
): Promise<{ proxy: FaultyLink; client: Socket; heard(): string }> {
  const proxy = await FaultyLink.open(target);
  const client = connect(proxy.address);
  client.on("error", () => {});
  let text = "";
  client.on("data", (bytes) => {
    text += bytes;
  });
  t.after(async () => {
    client.destroy();
    await proxy.close();
  });
  await once(client, "connect");
  return { proxy, client, heard: () => text };
}

test("passes on; a cut holds everything back in silence, and healing delivers it", async (t) => {
  const { proxy, client, heard } = await opened(t, await echo(t));
  client.write("a");
  assert.ok(await until(() => heard() === "a", 10_000));
  proxy.cut();
  client.write("b");
  await sleep(100);
  assert.equal(heard(), "a");
  assert.equal(proxy.connections, 1);
  proxy.heal();
  assert.ok(await until(() => heard() === "ab", 10_000));
});

test("a connection made during a cut comes through when it heals", async (t) => {
  const { proxy, heard } = await opened(t, await echo(t));
  proxy.cut();
  const late = connect(proxy.address);
  t.after(() => late.destroy());
  late.write("x");
  let text = "";
  late.on("data", (bytes) => {
    text += bytes;
  });
  await sleep(50);
  assert.equal(text, "");
  proxy.heal();
  assert.ok(await until(() => text === "x", 10_000));
  assert.equal(heard(), "");
});

test("a drop breaks connections off, and the next leads to the new target", async (t) => {
  const { proxy, client } = await opened(t, await echo(t, "1"));
  const closed = once(client, "close");
  proxy.target = await echo(t, "2");
  proxy.drop();
  await closed;
  const next = connect(proxy.address);
  t.after(() => next.destroy());
  next.write("x");
  const [bytes] = await once(next, "data");
  assert.equal(String(bytes), "2x");
});

test("a delay is on the way there and back", async (t) => {
  const { proxy, client, heard } = await opened(t, await echo(t));
  proxy.delayMs = 60;
  const sinceMs = performance.now();
  client.write("a");
  assert.ok(await until(() => heard() === "a", 10_000));
  assert.ok(performance.now() - sinceMs >= 2 * proxy.delayMs - 1);
});
