/** The code that is sent along with a job: read as text, for what it imports. */

import { sourcesOf } from "../../../../cli/sources.ts";
import { jobSchema } from "../../../../core/job.ts";
import { parseJob } from "../../../../core/jobfile.ts";
import { longestSource } from "../../../../core/jobpaths.ts";
import { text } from "../../../core/samplejob.ts";
import { type Nasty, promise, type Target, textFolder } from "../target.ts";

const code = `import * as tf from "@tensorflow/tfjs";
import type { Shape } from "./shapes.ts";
/* builds */ export default ({ inputShape, classes }) => { const name = 'a // b'; return tf.sequential(\`x\`); };
`;
const folder = (source: string) => textFolder({ "model.ts": source });
const refused = (source: string): Nasty => ({ ...folder(source), must: "be refused" });
const half = longestSource / 2;
const job = jobSchema.parse({ ...parseJob(text, "job.yaml"), student: { module: "model.ts" } });

export const target: Target = {
  open: async () => ({
    seeds: [folder(code), folder("export default 1;\n")],
    nasties: {
      "imports without an end": folder("import ".repeat(half / 7)),
      "braces without an end": folder("import {a, ".repeat(half / 11)),
      "comments without an end": folder("/* ".repeat(half / 3)),
      "quotes without an end": folder("`${'".repeat(half / 4)),
      "brackets without an end": folder("import(".repeat(half / 7)),
      "blanks without an end": folder(`import${" ".repeat(half)}`),
      "too long": refused("x".repeat(longestSource + 1)),
      "what lies beside it": refused('import "./other.ts"'),
      "what lies outside": refused('export * from "../canary"'),
      "what is somewhere else": refused('import a from "file:///etc/passwd"'),
      "a folder": { ...textFolder({ "model.ts/x": "" }), must: "be refused" },
      "no end": { files: {}, links: { "model.ts": "/dev/zero" }, must: "be refused" },
    },
    names: /student\.module: model\.ts/,
    async read(path) {
      const sources = await sourcesOf(job, path, () => "job.yaml:15");
      promise(
        sources.every((source) => source.path === "model.ts"),
        "it sends another file",
      );
    },
  }),
};
