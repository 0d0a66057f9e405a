/** What every kind of depot holds to: the same claims for a folder, S3 and JetStream's object store. */
import assert from "node:assert/strict";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { pathToFileURL } from "node:url";
import { type Depot, within } from "../../../proto/depot/depot.ts";
import { openDepot } from "../../../proto/depot/open.ts";
import { scratchFolder } from "../../e2e/limbeck.ts";
import { s3Server } from "../../s3server.ts";
import { startNats } from "./natsserver.ts";

interface Kind {
  readonly name: string;
  /** null where what it needs is not installed. */
  open(t: TestContext, scratch: string): Promise<Depot | null>;
}

const kinds: readonly Kind[] = [
  { name: "a folder", open: (_, scratch) => openDepot(String(pathToFileURL(join(scratch, "shared")))) },
  {
    name: "S3",
    async open(t) {
      const server = await s3Server();
      t.after(() => server.close());
      // What of the account the SDK reads for itself.
      Object.assign(process.env, server.env);
      return await openDepot(`s3://${server.bucket}/some/where/`);
    },
  },
  {
    name: "JetStream's object store",
    async open(t, scratch) {
      const address = await startNats(t, scratch);
      if (address === null) return null;
      const depot = await openDepot(`nats://${address}/tests`);
      t.after(() => depot.close());
      return depot;
    },
  },
];

const bytes = (text: string) => new TextEncoder().encode(text);
const text = async (depot: Depot, key: string) => new TextDecoder().decode(await depot.read(key));

for (const { name, open } of kinds) {
  test(`${name}: what is put is got, listed and removed, and nothing else is`, { timeout: 60_000 }, async (t) => {
    const scratch = await scratchFolder(t);
    const whole = await open(t, scratch);
    if (whole === null) return t.skip("nats-server is not installed");
    const depot = within(whole, "smoke-1a2b");
    for (const key of ["a", "a/x", "checkpoints/distil-1/manifest.json", "checkpoints/distil-10/manifest.json"])
      await depot.put(key === "a" ? "ab" : key, bytes(key));
    await depot.put("a/x", bytes("again"));
    await whole.put("smoke-1a2bc/other", bytes("of another job"));
    assert.equal(await text(depot, "a/x"), "again");
    const listed = await depot.list("");
    assert.deepEqual(
      listed.map(({ key }) => key),
      ["a/x", "ab", "checkpoints/distil-1/manifest.json", "checkpoints/distil-10/manifest.json"],
    );
    assert.equal(listed[0]!.bytes, 5);
    assert.deepEqual(await depot.list("nowhere"), []);

    await depot.remove("checkpoints/distil-1");
    await depot.remove("nowhere");
    assert.deepEqual(
      (await depot.list("checkpoints")).map(({ key }) => key),
      ["checkpoints/distil-10/manifest.json"],
    );
    await depot.remove("a");
    assert.deepEqual(
      (await depot.list("")).map(({ key }) => key),
      ["ab", "checkpoints/distil-10/manifest.json"],
    );
    await depot.put("one", bytes("x"));
    await depot.removeOne("one");
    await depot.removeOne("nowhere");
    assert.equal((await depot.list("")).length, 2);
    await assert.rejects(depot.read("a/x"), { code: "corrupt", message: /a\/x is missing in / });

    // Larger than a part, a piece and a message.
    const large = Buffer.alloc((11 << 20) + 3, "large");
    const file = join(scratch, "large");
    await writeFile(file, large);
    const put = await depot.put("large", { file });
    const back = join(scratch, "back");
    assert.deepEqual(await depot.get("large", back), put);
    assert.ok((await readFile(back)).equals(large));
    await depot.put("none", new Uint8Array());
    assert.equal((await depot.read("none")).length, 0);
    const { bytes: size, pieces } = await depot.open("large");
    let at = 0;
    for await (const piece of pieces) {
      assert.ok(large.subarray(at, at + piece.length).equals(piece));
      at += piece.length;
    }
    assert.deepEqual([size, at], [large.length, large.length]);
    await assert.rejects(depot.open("gone"), { code: "corrupt" });
    await assert.rejects(depot.get("gone", join(scratch, "gone")), { code: "corrupt" });
    assert.ok(!(await readdir(scratch)).some((each) => each.startsWith("gone")), "nothing is left of it");
    await assert.rejects(depot.put("x", { file: join(scratch, "missing") }), { code: "corrupt" });
  });

  test(`${name}: a key that would lead elsewhere is refused`, { timeout: 60_000 }, async (t) => {
    const scratch = await scratchFolder(t);
    const depot = await open(t, scratch);
    if (depot === null) return t.skip("nats-server is not installed");
    for (const key of ["", "/etc/x", "../x", "a/../../x", "a//b", "a/", ".hidden", "a\\b", "a\0b", "a/./b", "ü"]) {
      await assert.rejects(depot.put(key, bytes("x")), { code: "usage" }, JSON.stringify(key));
      await assert.rejects(depot.get(key, join(scratch, "got")), { code: "usage" }, JSON.stringify(key));
      await assert.rejects(depot.remove(key), { code: "usage" }, JSON.stringify(key));
      await assert.rejects(depot.removeOne(key), { code: "usage" }, JSON.stringify(key));
    }
  });
}

test("files that are no keys, such as those of a writer that died, are not looked at", async (t) => {
  const scratch = await scratchFolder(t);
  const depot = await openDepot(String(pathToFileURL(scratch)));
  await depot.put("a/x", bytes("x"));
  await mkdir(join(scratch, ".git"));
  await writeFile(join(scratch, ".git", "y"), "");
  await writeFile(join(scratch, "a", ".tmp-1"), "half");
  assert.deepEqual(
    (await depot.list("")).map(({ key }) => key),
    ["a/x"],
  );
});

test("a URL that names no depot says what would; its password is not repeated", async () => {
  for (const url of [
    "",
    "runs",
    "ftp://a/b",
    "file:runs",
    "s3:///x",
    "s3://b/../c",
    "s3://k:SECRET@b/c",
    "nats://u:SECRET@h/c",
  ]) {
    const refused = (thrown: Error) => /must be s3:\/\/BUCKET/.test(thrown.message) && !/SECRET/.test(thrown.message);
    await assert.rejects(openDepot(url), refused, url);
  }
});
