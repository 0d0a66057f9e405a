/** What is wrong with an object by the schema of its kind: unknown and missing fields, types, enums. */
import { readFileSync } from "node:fs";
import { packagePath } from "../../../proto/package.ts";
import type { Thing } from "./render.ts";

interface Schema {
  readonly $ref?: string;
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly Schema[];
  readonly type?: string;
  readonly items?: Schema;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: Schema | false;
}

/** Made by test/fixtures/kubernetes/generate.mjs. It has no other keywords than these. */
const { kinds, $defs } = JSON.parse(readFileSync(packagePath("test/fixtures/kubernetes/schemas.json"), "utf8")) as {
  readonly kinds: Readonly<Record<string, Schema>>;
  readonly $defs: Readonly<Record<string, Schema>>;
};

export function schemaProblems(thing: Thing): string[] {
  const kind = `${thing.apiVersion} ${thing.kind}`;
  const schema = kinds[kind];
  if (!schema) return [`there is no schema of ${kind} in test/fixtures/kubernetes`];
  return problems(schema, thing, `${thing.kind} ${thing.metadata?.name}`);
}

function problems(schema: Schema, value: Thing, at: string): string[] {
  const { $ref, const: only, enum: those, anyOf, type, items } = schema;
  if ($ref !== undefined) return problems($defs[$ref.slice("#/$defs/".length)]!, value, at);
  if (only !== undefined) return value === only ? [] : [`${at} must be ${only}, found ${value}`];
  if (those) return those.includes(value) ? [] : [`${at} must be one of ${those.join(", ")}, found ${value}`];
  if (anyOf) {
    const each = anyOf.map((one) => problems(one, value, at));
    return each.some((found) => found.length === 0) ? [] : each[0]!;
  }
  const found = value === null ? "null" : Array.isArray(value) ? "array" : typeof value;
  if (type !== undefined && type !== found) return [`${at} must be ${type}, found ${found}`];
  if (found === "array")
    return items ? value.flatMap((each: Thing, index: number) => problems(items, each, `${at}[${index}]`)) : [];
  if (found !== "object" || type === undefined) return [];
  const { properties = {}, required = [], additionalProperties } = schema;
  const missing = required.filter((name) => !(name in value)).map((name) => `${at}.${name} is missing`);
  const inside = Object.entries(value).flatMap(([name, each]) => {
    const its = Object.hasOwn(properties, name) ? properties[name] : additionalProperties;
    return its ? problems(its, each, `${at}.${name}`) : [`${at}.${name} is not known`];
  });
  return [...missing, ...inside];
}
