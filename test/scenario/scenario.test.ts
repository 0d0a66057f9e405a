/** Every story in this folder comes true. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { packagePath } from "../../proto/package.ts";
import { tell } from "./story.ts";

const folder = packagePath("test/scenario");
const stories = readdirSync(folder).filter((name) => name.endsWith(".txt"));

test("there are stories", () => assert.ok(stories.length > 0));

for (const name of stories) {
  test(name.replace(/\.txt$/, "").replaceAll("-", " "), () => {
    const path = join(folder, name);
    const text = readFileSync(path, "utf8");
    const told = tell(text);
    if (process.env["REWRITE"]) writeFileSync(path, told);
    else assert.equal(told, text);
  });
}
