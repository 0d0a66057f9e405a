/** Connections that say nothing give way to those that do. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { boundConnections } from "../../../proto/intake/connections.ts";

test("of too many silent connections the oldest is closed; who has spoken stays", { timeout: 10_000 }, async (t) => {
  const server = createServer((socket) => socket.resume());
  boundConnections(server, { connections: 20, silent: 5 });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const sockets: Socket[] = [];
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const join = async (said: string) => {
    const socket = connect(port, "127.0.0.1").on("error", () => {});
    sockets.push(socket);
    await once(socket, "connect");
    if (said !== "") socket.write(said);
    await sleep(20);
    return socket;
  };
  const speaking = await join("hello");
  const silent: Socket[] = [];
  for (let count = 0; count < 7; count++) silent.push(await join(""));
  await sleep(100);
  assert.equal(speaking.closed, false);
  assert.deepEqual(
    silent.map(({ closed, destroyed }) => closed || destroyed),
    [true, true, false, false, false, false, false],
  );
});

test("a port takes at most so many, and half of the files at the most if nothing is said", async () => {
  const server = createServer();
  boundConnections(server);
  assert.ok(server.maxConnections >= 100 && server.maxConnections <= 10_000, String(server.maxConnections));
});
