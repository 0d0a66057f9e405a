/** Job files, and what `--set` and a submitter say on top of one. */
import { readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { effectiveJobYaml, parseJob } from "../../../../core/jobfile.ts";
import { packagePath } from "../../../../proto/package.ts";
import { text } from "../../../core/samplejob.ts";
import { type Nasty, promise, type Target, textFolder } from "../target.ts";

const example = readFileSync(packagePath("examples/mnist.yaml"), "utf8");
const remote = text.replace(
  "teacher:\n  kind: mlp\n  widths: [20, 20]",
  "teacher: { ensemble: [{ load: a.onnx, weight: 2 }, { remote: { address: 'a:1', model: m, tls: { ca: c.pem } } }] }",
);
const folder = (job: string, set = "") => textFolder({ "job.yaml": job, set });
const refused = (job: string, set = ""): Nasty => ({ ...folder(job, set), must: "be refused" });
/** Every level has ten of the one before. */
const laughs = Array.from(
  { length: 12 },
  (_, at) => `l${at + 1}: &l${at + 1} [${Array(10).fill(`*l${at}`).join(", ")}]`,
);
const times = (count: number, made: (at: number) => string) =>
  Array.from({ length: count }, (_, at) => made(at)).join("");

export const target: Target = {
  open: async () => ({
    seeds: [
      folder(text),
      folder(example),
      folder(text, "seed=7\nstudent.widths.0=3\ndistil.optimizer={kind: adamw, learningRate: 1}"),
      folder(remote.replace(/teach:\n.*\n.*\n/, "")),
    ],
    nasties: {
      "lists in lists": refused(`name: ${"[".repeat(50_000)}`),
      "lists in lists, closed": refused(`name: ${"[".repeat(20_000)}${"]".repeat(20_000)}`),
      "mappings in mappings": refused(`name: ${"{a: ".repeat(20_000)}`),
      "dashes in dashes": refused(`name:\n  ${"- ".repeat(20_000)}x`),
      "questions in questions": refused("? ".repeat(20_000)),
      "deep by indentation": refused(times(1_000, (at) => `${" ".repeat(at)}a:\n`)),
      "a billion laughs": refused(["l0: &l0 x", ...laughs].join("\n")),
      "a list that holds itself": refused(`${text}\nloop: &loop [*loop]`),
      "a teacher that holds itself": refused(
        text.replace("teacher:\n  kind: mlp\n  widths: [20, 20]", "teacher: &t { ensemble: [*t, *t] }"),
      ),
      "ten thousand anchors": refused(`name:\n${times(10_000, (at) => `  - &a${at} x\n`)}`),
      "aliases of aliases of aliases": refused(
        `l0: &l0 x\n${times(2_000, (at) => `l${at + 1}: &l${at + 1} [*l${at}]\n`)}`,
      ),
      "a prototype": refused(`${text}\n__proto__: { polluted: 1 }`),
      "a prototype within": refused(text.replace("lanes:", "lanes:\n  __proto__: { polluted: 1 }")),
      "a prototype by --set": refused(text, "__proto__.polluted=1"),
      "a prototype within, by --set": refused(text, "lanes.__proto__.polluted=1"),
      "a constructor by --set": refused(text, "constructor.prototype.polluted=1"),
      "deep by --set": refused(text, `seed=${"[".repeat(20_000)}`),
      "a long way by --set": refused(text, `${"a.".repeat(20_000)}b=1`),
      "thirty thousand keys": refused(times(30_000, (at) => `key${at}: 1\n`)),
      "a key of a megabyte": refused(`${"k".repeat(1 << 20)}: 1`),
      "a name of a megabyte": refused(`name: "${" ".repeat(1 << 20)}"`),
      "keys that are no text": refused("? [a, b]\n: 1\n? { c: d }\n: 2\n12: 3\nnull: 4\n"),
      "tags of other languages": refused("name: !!js/function 'function () {}'\nseed: !!python/object:os.system x\n"),
      "bytes, sets and merges": refused("%YAML 1.1\n---\nname: !!binary aGk=\nseed: !!set {a}\n<<: {lanes: 1}\n"),
      "numbers that are none": refused(
        text.replace("seed: 5", "seed: .inf").replace("count: 4", "count: 0x7fffffffffffffff"),
      ),
      "zeros and escapes": refused('name: "\\0\\e[2J\\u202e"\n\0seed: 1'),
      "UTF-16": {
        files: { "job.yaml": Buffer.from(`\ufeff${text}`, "utf16le"), set: Buffer.alloc(0) },
        must: "be refused",
      },
      "not text": {
        files: { "job.yaml": Buffer.from([0xff, 0xfe, 0xc0, 0x80, 0x0a]), set: Buffer.alloc(0) },
        must: "be refused",
      },
      "many documents": refused(times(5_000, () => "---\nname: a\n")),
      "a mark of order before it": { ...folder(`\ufeff${text}`), must: "be taken" },
    },
    names: /job\.yaml|--set/,
    async read(path) {
      const read = (name: string) => readFile(join(path, name), "utf8").catch(() => "");
      const overrides = (await read("set")).split("\n").filter((line) => line !== "");
      const job = parseJob(await read("job.yaml"), "job.yaml", overrides);
      const again = parseJob(effectiveJobYaml(job, "."), "job.yaml");
      promise(isDeepStrictEqual(again, job), "its effective job is another job");
    },
  }),
};
