/** S3 when it does not do what it is asked for, with the real client. */
import assert from "node:assert/strict";
import { cp, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { pathToFileURL } from "node:url";
import type { Depot } from "../../../proto/depot/depot.ts";
import { openDepot } from "../../../proto/depot/open.ts";
import { packagePath } from "../../../proto/package.ts";
import { scratchFolder } from "../../e2e/limbeck.ts";
import { type S3Server, s3Server } from "../../s3server.ts";

const some = new TextEncoder().encode("some bytes");

async function opened(t: TestContext): Promise<{ server: S3Server; depot: Depot }> {
  const server = await s3Server();
  t.after(() => server.close());
  Object.assign(process.env, server.env);
  return { server, depot: await openDepot(`s3://${server.bucket}/p`) };
}

test("a server that asks to slow down is asked again, and has each object once", async (t) => {
  const { server, depot } = await opened(t);
  const refused = new Set<string>();
  server.refuse = ({ what, query }) => {
    const request = `${what} ${query.get("partNumber")}`;
    const isMeant = ["PUT p/small null", "PUT p/large 2", "GET p/large null"].includes(request);
    if (!isMeant || refused.has(request)) return null;
    refused.add(request);
    return "SlowDown";
  };
  const large = Buffer.alloc(11 << 20, 7);
  await depot.put("small", some);
  await depot.put("large", large);
  assert.deepEqual([...(await depot.read("small"))], [...some]);
  assert.equal((await depot.read("large")).length, large.length);
  assert.equal(refused.size, 3);
  assert.deepEqual([...server.objects.keys()].sort(), ["p/large", "p/small"]);
});

test("an upload in parts that fails leaves neither an object nor parts", async (t) => {
  const { server, depot } = await opened(t);
  server.refuse = ({ query }) => (query.get("partNumber") === "2" ? "AccessDenied" : null);
  await assert.rejects(depot.put("large", Buffer.alloc(11 << 20)), {
    code: "unavailable",
    message: /access is denied/,
  });
  assert.deepEqual([server.objects.size, server.parts.size], [0, 0]);
});

test("an object that is cut off, or of other bytes, is not taken", async (t) => {
  const { server, depot } = await opened(t);
  await depot.put("x", some);
  const object = server.objects.get("p/x")!;
  object.bytes = object.bytes.subarray(0, 4);
  await assert.rejects(depot.read("x"), {
    code: "corrupt",
    message: /x in s3:\/\/models\/p is not what was put there/,
  });
  object.bytes = Buffer.from("other byte");
  await assert.rejects(depot.get("x", join(await scratchFolder(t), "x")), { code: "corrupt" });
});

test("what is wrong with the account is said in a sentence, without the account's secrets", async (t) => {
  const { server, depot } = await opened(t);
  const secret = server.env["AWS_SECRET_ACCESS_KEY"]!;
  const says = async (asking: Promise<unknown>, sentence: RegExp) =>
    await assert.rejects(asking, (thrown: Error & { code: string }) => {
      assert.match(thrown.message, sentence);
      const all = JSON.stringify(thrown, Object.getOwnPropertyNames(thrown));
      assert.ok(!all.includes(secret) && !all.includes(server.env["AWS_ACCESS_KEY_ID"]!), all);
      return thrown.code === "unavailable";
    });
  await says((await openDepot("s3://elsewhere/p")).list(""), /^s3:\/\/elsewhere\/p: there is no such bucket$/);
  server.refuse = () => "SignatureDoesNotMatch";
  await says(depot.list(""), /its server does not accept the credentials: look at AWS_SECRET_ACCESS_KEY/);
  server.refuse = () => null;
  process.env["AWS_ACCESS_KEY_ID"] = "UNKNOWN";
  await says((await openDepot(`s3://${server.bucket}`)).list(""), /look at AWS_ACCESS_KEY_ID/);
  await server.close();
  await says(depot.list(""), /^s3:\/\/models\/p: 127\.0\.0\.1:\d+ cannot be reached \(ECONNREFUSED\)$/);
});

test("without the package one sentence says how to get it", async (t) => {
  const scratch = await scratchFolder(t);
  // A place of which no node_modules is above.
  for (const part of ["core/errors.js", "proto/files.js", "proto/cluster.js", "proto/shownurl.js"])
    await cp(packagePath(`dist/${part}`), join(scratch, part));
  await cp(packagePath("dist/proto/depot"), join(scratch, "proto/depot"), { recursive: true });
  await mkdir(join(scratch, "core"), { recursive: true });
  await writeFile(join(scratch, "package.json"), '{"type":"module"}');
  const bare = (await import(String(pathToFileURL(join(scratch, "proto/depot/open.js"))))) as {
    openDepot: typeof openDepot;
  };
  await assert.rejects(bare.openDepot("s3://bucket/p"), {
    code: "usage",
    message:
      "s3://bucket/p needs the npm package @aws-sdk/client-s3, which is not installed here: npm install @aws-sdk/client-s3",
  });
});
