/** Reflection names what a port serves, and nothing that it does not. */
import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { type TestContext, test } from "node:test";
import { type Client, credentials, type GrpcObject, loadPackageDefinition } from "@grpc/grpc-js";
import { loadSync } from "@grpc/proto-loader";
import { openFolderStore } from "../../coordinator/folder/store.ts";
import { service } from "./service/services.ts";
import { bounded, scratch, started } from "./sessions.ts";

interface Reply {
  readonly listServicesResponse?: { readonly service: readonly { readonly name: string }[] };
  readonly fileDescriptorResponse?: object;
}

const protos = join(
  dirname(createRequire(import.meta.url).resolve("@grpc/reflection/package.json")),
  "build/proto/grpc",
);

/** What the port says of itself, by each version of the protocol. */
async function reflected(t: TestContext, address: string): Promise<string[]> {
  const all: string[][] = [];
  for (const version of ["v1", "v1alpha"]) {
    const loaded = loadPackageDefinition(loadSync(join(protos, `reflection/${version}/reflection.proto`)));
    const { ServerReflection } = ["grpc", "reflection", version].reduce((at, key) => at[key] as GrpcObject, loaded);
    const client: Client = new (ServerReflection as unknown as new (...args: unknown[]) => Client)(
      address,
      credentials.createInsecure(),
    );
    t.after(() => client.close());
    const ask = async (question: object): Promise<Reply> => {
      const call = (client as unknown as { ServerReflectionInfo(): Stream }).ServerReflectionInfo();
      call.write(question);
      call.end();
      for await (const reply of call) return reply;
      throw new Error("no answer");
    };
    const names = (await ask({ listServices: "*" })).listServicesResponse!.service.map(({ name }) => name);
    for (const fileContainingSymbol of names)
      assert.ok((await ask({ fileContainingSymbol })).fileDescriptorResponse, `${fileContainingSymbol} is described`);
    all.push(names.toSorted());
  }
  assert.deepEqual(all[0], all[1]);
  return all[0]!;
}

type Stream = AsyncIterable<Reply> & { write(question: object): void; end(): void };

test("a coordinator of one job names its service, and that of health", bounded, async (t) => {
  const { address } = await started(t);
  assert.deepEqual(await reflected(t, address), ["grpc.health.v1.Health", "limbeck.v1.Coordinator"]);
});

test("a service names that of jobs, too", bounded, async (t) => {
  const folder = await scratch(t);
  const running = await service("one", folder, openFolderStore(folder));
  t.after(() => running.close("the test is over"));
  const names = ["grpc.health.v1.Health", "limbeck.v1.Coordinator", "limbeck.v1.Jobs"];
  assert.deepEqual(await reflected(t, running.address), names);
});
