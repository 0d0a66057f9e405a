/** The code that goes with a job: what is sent, what stays, and what is refused with what to do. */
import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { localImports, sourcesOf } from "../../cli/sources.ts";
import { jobSchema } from "../../core/job.ts";
import { longestSource } from "../../core/jobpaths.ts";
import { testJob } from "../coordinator/jobs.ts";
import { scratchFolder } from "../e2e/limbeck.ts";

async function sent(t: TestContext, module: string, text?: string | Buffer) {
  const folder = join(await scratchFolder(t), "jobs");
  mkdirSync(join(folder, "models"), { recursive: true });
  if (text !== undefined) writeFileSync(join(folder, module), text);
  const job = jobSchema.parse({ ...testJob(), student: { module } });
  return sourcesOf(job, folder, (field) => `job.yaml:7 (${field.join("/")})`);
}

const selfContained = `import type { Layers } from "./types.ts";
import { range } from "lodash"; // import x from "./comment.ts"
/* import "./another.ts" */
export default ({ tf }) => tf.sequential({ name: 'from "./text.ts"' });
`;

test("a relative module is sent as it is, an absolute one stays where it is", async (t) => {
  const path = "models/net.ts";
  assert.deepEqual(await sent(t, path, selfContained), [{ path, text: selfContained }]);
  assert.deepEqual(await sent(t, "/opt/image/net.ts"), []);
});

test("what cannot be sent is refused, with the line of the job file and what to do", async (t) => {
  const refused = (message: RegExp) => ({ code: "bad_job", message });
  const image = /or name a file of the workers' own image by its absolute path/;
  await assert.rejects(
    sent(t, "net.ts"),
    refused(/^job\.yaml:7 \(student\/module\): student\.module: net\.ts cannot be read: /),
  );
  await assert.rejects(sent(t, "../net.ts", "export default 1;"), refused(/lies outside the job file's folder/));
  await assert.rejects(
    sent(t, "net.ts", Buffer.alloc(longestSource + 1, 32)),
    refused(/has 262145 bytes, and at most 262144/),
  );
  const importing = '\nexport const a = 1;\nimport { relu } from "./layers.ts";\n';
  await assert.rejects(
    sent(t, "net.ts", importing),
    refused(/net\.ts:3 imports \.\/layers\.ts, which would not be there/),
  );
  await assert.rejects(sent(t, "net.ts", importing), refused(image));
});

test("every way of importing a file beside it is seen", () => {
  const of = (text: string) => localImports(text).map(({ path, line }) => `${line} ${path}`);
  assert.deepEqual(of('import "./a.ts"'), ["1 ./a.ts"]);
  assert.deepEqual(of('export * from "../b.js";'), ["1 ../b.js"]);
  assert.deepEqual(of('const c = await import(\n  "./c.ts");'), ["2 ./c.ts"]);
  assert.deepEqual(of("const d = require('/d.cjs')"), ["1 /d.cjs"]);
  assert.deepEqual(of('import {\n  e,\n  f,\n} from "./e.ts";\nimport g from "file:///g.ts";'), [
    "4 ./e.ts",
    "5 file:///g.ts",
  ]);
  assert.deepEqual(of('import {\n  h } from "npm-package"\nimport * as i from "./i.ts"'), ["3 ./i.ts"]);
  assert.deepEqual(of(selfContained), []);
});
