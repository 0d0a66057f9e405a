/** Code that comes with a job: what the job names, each once, as large as the command line sends, and nothing else. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { openFolderStore } from "../../../coordinator/folder/store.ts";
import { longestSource } from "../../../core/jobpaths.ts";
import { bounded, scratch } from "../sessions.ts";
import { isLeading, jobFile, service, submit, until } from "./services.ts";

const withModule = jobFile.replace(/^student:[\s\S]*?(?=^\S)/m, "student: { module: net.ts }\n");

test("a service takes the code that a job names, and bounds it in bytes", bounded, async (t) => {
  assert.match(withModule, /module: net\.ts/);
  const folder = await scratch(t);
  const leader = await service("one", folder, openFolderStore(folder), { allowsModules: true });
  t.after(() => leader.close("the test is over"));
  await until(() => isLeading(leader));
  const given = (...sources: { path: string; text: string }[]) => submit(leader, { job: withModule, sources });
  const net = { path: "net.ts", text: "export default 1;" };
  const refused = (asked: Promise<string>, details: RegExp) =>
    assert.rejects(asked, (thrown: Error & { details: string }) => details.test(thrown.details));

  await refused(given(), /module: net\.ts has not come with the job/);
  await refused(given(net, { path: "other.ts", text: "" }), /^"other\.ts" has come with the job, which names net\.ts$/);
  await refused(given(net, net), /^a file has come twice with the job/);
  await refused(given({ path: "../net.ts", text: "" }), /has a relative path, without \.\./);
  const many = Array.from({ length: 1_000 }, (_, at) => ({ path: `${at}.ts`, text: "" }));
  await refused(given(net, ...many), /has come with the job, which names net\.ts/);
  // Of three bytes each.
  const wide = "語".repeat(Math.floor(longestSource / 3) + 1);
  assert.ok(wide.length < longestSource);
  await refused(given({ path: "net.ts", text: wide }), /net\.ts is larger than 262144 bytes/);
  await refused(submit(leader, { job: jobFile, sources: [net] }), /has come with the job, which names no module$/);
  assert.match(await given({ path: "net.ts", text: "/".repeat(longestSource) }), /^smoke-/);
});
