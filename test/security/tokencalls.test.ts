/** Calls that last, and the tokens that opened them. */
import assert from "node:assert/strict";
import { createPrivateKey } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { Server } from "@grpc/grpc-js";
import { tokenKeyFiles } from "../../cli/token.ts";
import type { Role } from "../../core/security/identity.ts";
import { createToken } from "../../proto/security/token.ts";
import { coordinatorClient, coordinatorService } from "../../proto/wire.ts";
import { scratchFolder } from "../e2e/limbeck.ts";
import { cluster, opened } from "./cluster.ts";

const { secret, shared } = tokenKeyFiles();
const key = createPrivateKey(secret);
const minuteMs = 60_000;

interface Held {
  readonly address: string;
  /** A call was, at the server. */
  readonly cancelled: Promise<void>;
  /** Opens a call that lasts, with a token of this role. @returns why it ends */
  hold(
    method: "Join" | "Watch",
    role: Role,
    untilMs: number,
  ): Promise<{ readonly ended: Promise<string>; readonly id: string }>;
  file(name: "token.pub" | "revoked", text: string): void;
}

/** A server that ends no call. On loopback without TLS, as behind a proxy that does it: whoever keys are given for is not believed without a token. */
async function holding(t: TestContext): Promise<Held> {
  const folder = await scratchFolder(t);
  const path = (name: string) => join(folder, name);
  writeFileSync(path("token.pub"), shared);
  writeFileSync(path("revoked"), "");
  const server = opened(t, null, { tokenKey: path("token.pub"), revokedTokens: path("revoked") });
  const grpc = new Server({ interceptors: [...server.guards] });
  const { Join, Watch } = coordinatorService;
  let [met, isCancelled] = [() => {}, () => {}];
  const cancelled = new Promise<void>((resolve) => {
    isCancelled = resolve;
  });
  const silent = (call: { on(event: string, hear: () => void): void }) => {
    call.on("error", () => {});
    call.on("cancelled", isCancelled);
    met();
  };
  grpc.addService({ Join, Watch }, { Join: silent, Watch: silent });
  const { port } = await server.listen(grpc, { host: "127.0.0.1", port: 0 });
  t.after(() => grpc.forceShutdown());
  const address = `127.0.0.1:${port}`;
  return {
    ...{ address, cancelled },
    file: (name, text) => writeFileSync(path(name), text),
    async hold(method, role, untilMs) {
      const { text, token } = createToken({ cluster, role, untilMs }, key);
      writeFileSync(path(token.id), text);
      const client = coordinatorClient(address, {
        security: opened(t, null, { tokenFile: path(token.id) }),
      });
      t.after(() => client.close());
      const arrived = new Promise<void>((resolve) => {
        met = resolve;
      });
      const call = method === "Join" ? client.join() : client.watch({});
      if ("write" in call) call.write({ term: 0 });
      const ended = new Promise<string>((resolve) =>
        call.on("error", (error: { details: string }) => resolve(error.details)),
      );
      call.resume();
      await Promise.race([arrived, ended]);
      return { ended, id: token.id };
    },
  };
}

test("a session that a token opened ends with the token's revocation", async (t) => {
  const { address, hold, file, cancelled } = await holding(t);
  const without = coordinatorClient(address).join();
  const refused = await new Promise<Error>((resolve) => without.on("error", resolve));
  assert.match(refused.message, /Coordinator\.Join takes the role worker; no token came$/);

  const session = await hold("Join", "worker", Date.now() + minuteMs);
  file("revoked", session.id);
  assert.match(await session.ended, new RegExp(`the token ${session.id} has been revoked$`));
  await cancelled;
});

test("a call ends with the token that opened it, but for a worker's session; all end with the key", async (t) => {
  const { hold, file } = await holding(t);
  // What is over by clocks that differ is taken for a minute more: this one has two seconds left of it.
  const soonMs = Date.now() - minuteMs + 2_000;
  const worker = await hold("Join", "worker", soonMs);
  const viewer = await hold("Watch", "viewer", soonMs);
  const later = await hold("Watch", "viewer", Date.now() + minuteMs);
  assert.match(await viewer.ended, new RegExp(`^the token ${viewer.id} expired at`));
  const over: string[] = [];
  for (const { ended, id } of [worker, later]) void ended.then(() => over.push(id));
  assert.match(await (await hold("Watch", "viewer", soonMs)).ended, /expired at/);
  assert.deepEqual(over, [], "the worker's session goes on, and so does what has time");
  file("revoked", worker.id);
  assert.match(await worker.ended, new RegExp(`^the token ${worker.id} has been revoked$`), "also after its end");
  assert.deepEqual(over, [worker.id]);
  const another = await hold("Join", "worker", Date.now() + minuteMs);
  file("token.pub", tokenKeyFiles().shared);
  for (const { ended } of [another, later])
    assert.match(await ended, /^the token is not signed with the key of this cluster/);
});
