/** A run's report, drawn again by `limbeck report`, alone and beside another. */
import { readFile } from "node:fs/promises";
import { drawComparison, drawReport } from "../../../../coordinator/report/folder.ts";
import { curvesOf } from "../../../../core/curves.ts";
import { effectiveJobYaml } from "../../../../core/jobfile.ts";
import { events, job, report } from "../samplerun.ts";
import { type Nasty, promise, type Target, textFolder, withFiles } from "../target.ts";

const seed = textFolder({
  "report.json": JSON.stringify(report),
  "curves.json": JSON.stringify(curvesOf(events)),
  "job.yaml": effectiveJobYaml(job, "."),
});
const given = (files: Record<string, string>): Nasty => withFiles(seed, files);
const refused = (files: Record<string, string>): Nasty => ({ ...given(files), must: "be refused" });
const changed = (fields: object) => JSON.stringify({ ...report, ...fields });
const pictured = (shape: readonly number[], pixels: unknown = "AAAA") => {
  const [dispute] = report.disputes;
  return changed({ disputes: [{ ...dispute, picture: { example: 0, shape, pixels, values: [] } }] });
};
const curves = (x: readonly number[]) =>
  JSON.stringify(
    curvesOf(events).map((each) => ({
      ...each,
      epochs: x,
      values: Object.fromEntries(Object.keys(each.values).map((name) => [name, x])),
    })),
  );

export const target: Target = {
  open: async () => ({
    seeds: [seed],
    nasties: {
      "a report of 5": refused({ "report.json": "5" }),
      "a report of null": refused({ "report.json": "null" }),
      "a report of nothing": refused({ "report.json": '{"time":1,"disputes":1}' }),
      "a time that is none": refused({ "report.json": changed({ startedMs: 1e300 }) }),
      "a picture of a billion": refused({ "report.json": pictured([1e5, 1e5, 1]) }),
      "a picture of 2^53": refused({ "report.json": pictured([2 ** 53, 1, 1]) }),
      "a picture below 0": refused({ "report.json": pictured([-1, -3, 1]) }),
      "pixels that are none": refused({ "report.json": pictured([1e9, 1, 1], { length: 1e9 }) }),
      "a job that is markup": given({
        "report.json": changed({ job: "</title><script>alert(1)</script>" }),
        "job.yaml": "</pre><script>",
      }),
      "curves of 5": refused({ "curves.json": "5" }),
      "curves over all numbers": given({ "curves.json": curves([-1.7e308, 1.7e308, 5e-324]) }),
      "curves of one place": given({ "curves.json": curves([1e300, 1.000000000000001e300]) }),
      "curves of almost nothing": given({ "curves.json": curves([0, 5e-324]) }),
      "a million classes": refused({
        "report.json": changed({ student: { ...report.student, classes: { length: 1e6 } } }),
      }),
      "lists in lists": refused({ "curves.json": "[".repeat(100_000) + "]".repeat(100_000) }),
      "a report without an end": { ...seed, links: { "report.json": "/dev/zero" }, must: "be refused" },
      "a folder in place of a job": {
        files: {
          "report.json": seed.files["report.json"]!,
          "curves.json": seed.files["curves.json"]!,
          "job.yaml/x": Buffer.alloc(1),
        },
        must: "be refused",
      },
    },
    async read(path) {
      const page = await readFile(await drawReport(path), "utf8");
      promise(page.match(/<script/g)?.length === 2, "it has a script that is none of the page's");
      const both = await drawComparison([path, path]);
      promise(both.match(/<script/g)?.length === 2, "beside another it has a script that is none of the page's");
    },
  }),
};
