import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { jobJsonSchema, jobReference } from "../../cli/schema.ts";
import { packagePath } from "../../proto/package.ts";

// biome-ignore lint/suspicious/noExplicitAny: a JSON Schema, looked into at will
type Any = any;

/** Every schema inside a schema, with its place. */
function* inner(schema: Any, place: string): Generator<[string, Any]> {
  yield [place, schema];
  for (const [key, field] of Object.entries(schema.properties ?? {})) yield* inner(field, `${place}.${key}`);
  for (const branch of [...(schema.anyOf ?? []), ...(schema.oneOf ?? [])]) yield* inner(branch, place);
  if (schema.items) yield* inner(schema.items, `${place}[]`);
}

test("docs/job.md is what the schema says; `limbeck schema --markdown > docs/job.md` makes it again", () => {
  assert.equal(readFileSync(packagePath("docs/job.md"), "utf8"), jobReference());
});

test("the JSON Schema is one of 2020-12, named, and closed to unknown keys throughout", () => {
  const schema = jobJsonSchema() as Any;
  assert.equal(schema.$schema, "https://json-schema.org/draft/2020-12/schema");
  assert.equal(schema.$id, "urn:limbeck:job");
  assert.ok(schema.title && schema.description);
  for (const [place, part] of inner(schema, "job")) {
    if (part.type === "object") assert.equal(part.additionalProperties, false, place);
  }
});

test("only what has no default is required", () => {
  const schema = jobJsonSchema() as Any;
  assert.deepEqual(schema.required, ["name", "dataset", "teacher", "student", "distil"]);
  assert.deepEqual(schema.properties.distil.required, ["temperature", "softWeight", "optimizer"]);
  assert.equal(schema.properties.distil.properties.temperature.exclusiveMinimum, 0);
  assert.equal(schema.properties.numerics.default, "exact");
});

test("every field is described, and the reference has a row for it and a target for every link", () => {
  const reference = jobReference();
  for (const [place, part] of inner(jobJsonSchema(), "job")) {
    for (const [key, field] of Object.entries<Any>(part.properties ?? {})) {
      assert.ok(field.description, `${place}.${key} has no description`);
      assert.ok(reference.includes(`| \`${key}\` |`), `${place}.${key} has no row`);
    }
  }
  const anchors = new Set(
    [...reference.matchAll(/^## (.*)$/gm)].map(([, heading]) =>
      heading!.toLowerCase().replace(/[`.,]/g, "").replaceAll(" ", "-"),
    ),
  );
  const links = [...reference.matchAll(/\]\(#([^)]*)\)/g)].map(([, anchor]) => anchor!);
  assert.ok(links.length > 10);
  for (const link of links) assert.ok(anchors.has(link), `no heading for #${link}`);
});
