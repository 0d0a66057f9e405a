/** Who may call what: every method there is, by every role, over real connections. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { Client, credentials, type MethodDefinition, status } from "@grpc/grpc-js";
import { service as healthService } from "grpc-health-check";
import { type Role, roles } from "../../core/security/identity.ts";
import { permissions, whoMayCall } from "../../core/security/permissions.ts";
import type { Security } from "../../proto/security/security.ts";
import { coordinatorService, jobsService, peerService, teacherService, wireDefinition } from "../../proto/wire.ts";
import { scratchFolder } from "../e2e/limbeck.ts";
import { authority, leaf, opened, serving } from "./cluster.ts";

type AnyMethod = MethodDefinition<object, object>;

const ours = [coordinatorService, jobsService, teacherService, peerService, healthService];
const methods = ours.flatMap((service) => Object.values(service) as unknown as AnyMethod[]);

test("the table has every method of the wire, and no other of ours", () => {
  const onTheWire = Object.entries(wireDefinition)
    .filter(([name, each]) => !("format" in each) && name.startsWith("limbeck."))
    .flatMap(([, service]) => Object.values(service as Record<string, AnyMethod>).map(({ path }) => path));
  assert.ok(onTheWire.length >= 11);
  for (const path of [...onTheWire, ...methods.map(({ path }) => path)])
    assert.ok(whoMayCall(path).length > 0, `${path} is missing`);
  const known = Object.keys(permissions).filter((path) => path.startsWith("/limbeck."));
  assert.deepEqual(known.sort(), onTheWire.sort());
});

test("what is not in the table nobody may call, whatever it is called", () => {
  for (const path of ["/limbeck.v1.Coordinator/Other", "/toString", "toString", "__proto__", ""])
    assert.deepEqual(whoMayCall(path), []);
});

test("a certificate of another cluster opens nothing, though the same authority signed it", async (t) => {
  const ca = await authority(await scratchFolder(t));
  const server = opened(t, (await leaf(ca, "server", { roles: ["coordinator"] })).files);
  const address = await serving(t, server, [jobsService]);
  const { files } = await leaf(ca, "other", { roles: [...roles], cluster: "beta" });
  // One that trusts whomever it meets, as no process of ours does.
  const [root, key, cert] = [files.ca, files.key, files.cert].map((file) => readFileSync(file));
  const shown = credentials.createSsl(root, key, cert, { checkServerIdentity: () => undefined });
  const client = new Client(address, shown, { "grpc.ssl_target_name_override": "any.test" });
  assert.equal(await called(client, jobsService.List as unknown as AnyMethod), status.PERMISSION_DENIED);
  await server.until(/a call is refused: the certificate is of the cluster beta, this is alpha$/);
  client.close();
});

/** @returns the code the call ended with */
function called(client: Client, { path, requestStream, responseStream, ...how }: AnyMethod): Promise<status> {
  const [serialize, deserialize] = [how.requestSerialize, how.responseDeserialize];
  return new Promise((resolve) => {
    const within = { deadline: Date.now() + 5_000 };
    const answered = (error: { code: status } | null) => resolve(error?.code ?? status.OK);
    if (!requestStream && !responseStream) {
      client.makeUnaryRequest(path, serialize, deserialize, {}, within, answered as never);
      return;
    }
    const call = requestStream
      ? client.makeBidiStreamRequest(path, serialize, deserialize, within)
      : client.makeServerStreamRequest(path, serialize, deserialize, {}, within);
    call.on("error", () => {});
    call.on("status", ({ code }: { code: status }) => resolve(code));
    call.resume();
    if (requestStream) (call as { end?(): void }).end?.();
  });
}

test("each role calls what it may and is refused all else; who has none is refused all", async (t) => {
  const ca = await authority(await scratchFolder(t));
  const server = opened(t, (await leaf(ca, "server", { roles: ["coordinator", "worker"] })).files);
  const unknown = { ...jobsService.List, path: "/limbeck.v1.Jobs/Unknown" };
  const service = { ...jobsService, Unknown: unknown };
  const address = await serving(t, server, [...ours.filter((each) => each !== jobsService), service]);
  const trial = async (name: string, its: readonly Role[]) => {
    const security: Security = opened(t, (await leaf(ca, name, { roles: its })).files);
    const { credentials, options } = security.dial("coordinator", address);
    const client = new Client(address, credentials, options);
    for (const method of methods) {
      const may = its.some((role) => whoMayCall(method.path).includes(role));
      const wanted = may ? status.OK : status.PERMISSION_DENIED;
      assert.equal(await called(client, method), wanted, `${name}: ${method.path}`);
    }
    assert.equal(await called(client, unknown as unknown as AnyMethod), status.PERMISSION_DENIED, "not in the table");
    client.close();
  };
  for (const role of roles) await trial(role, [role]);
  await trial("several", ["viewer", "worker"]);
  await trial("member", []);
});
