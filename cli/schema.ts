/** The job file as it is published: a JSON Schema for editors, and the reference page docs/job.md. */
import { readFileSync } from "node:fs";
import { z } from "zod";
import { jobSchema } from "../core/job.ts";
import { packagePath } from "../proto/package.ts";

type Field = z.core.JSONSchema.JSONSchema;

/** JSON Schema (2020-12) of a job file as a user writes it. Rules that join several fields are only checked by Limbeck. */
export function jobJsonSchema(): Field {
  const { $schema, ...schema } = z.toJSONSchema(jobSchema, {
    io: "input",
    target: "draft-2020-12",
    override: ({ jsonSchema }) => {
      // zod's bounds of every integer, which say nothing.
      if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum;
      if (jsonSchema.minimum === Number.MIN_SAFE_INTEGER) delete jsonSchema.minimum;
    },
  });
  return {
    ...($schema !== undefined && { $schema }),
    $id: "urn:limbeck:job",
    title: "Limbeck job",
    description: "A knowledge-distillation job: everything that decides its result.",
    ...schema,
  };
}

/** A mapping, or a choice between several, that gets its own table. */
interface Section {
  readonly schema: Field;
  /** Empty where fields that share the section describe it differently. */
  description: string;
  /** Fields that take it: the same model may be the teacher or the student. */
  readonly paths: string[];
}

/** The reference page of the job file, Markdown. */
export function jobReference(): string {
  const root = jobJsonSchema();
  const sections = new Map<string, Section>();
  gather(root, "", sections);
  return [
    "<!-- Made by `limbeck schema --markdown` from the schema in core/job.ts. Change it there. -->",
    "# The job file",
    "A job is one YAML file that says everything that decides the result: data, models, training, seed. It is checked before anything starts; an unknown key, a wrong type or a contradiction is refused with its line. `limbeck schema` prints the same as JSON Schema for editors.",
    "Any field can be set on the command line: `--set distil.temperature=8`, `--set 'teacher={load: runs/a/teacher}'`; `--set teach=` removes it. Relative paths start from the folder of the job file.",
    ...[...sections.values()].flatMap((section) => sectionText(section, sections)),
    "## A whole job",
    `\`examples/mnist.yaml\`, what \`npm start\` runs:`,
    `\`\`\`yaml\n${readFileSync(packagePath("examples/mnist.yaml"), "utf8")}\`\`\``,
    "",
  ].join("\n\n");
}

/** Finds the sections, outermost first. */
function gather(schema: Field, path: string, sections: Map<string, Section>): void {
  if (isChoiceOrMapping(schema)) {
    const known = sections.get(identity(schema));
    if (known) {
      known.paths.push(path);
      if (known.description !== schema.description) known.description = "";
      return;
    }
    sections.set(identity(schema), { schema, description: schema.description ?? "", paths: path ? [path] : [] });
  }
  for (const branch of branches(schema)) {
    const inner = branch.type === "array" ? { "": entries(branch) } : (branch.properties ?? {});
    for (const [key, field] of Object.entries(inner)) {
      gather(field as Field, [path, key].filter(Boolean).join("."), sections);
    }
  }
}

function sectionText({ schema, description, paths }: Section, sections: Map<string, Section>): string[] {
  const heading = paths.length === 0 ? [] : [`## ${headingOf(paths)}`, description];
  const tables = branches(schema).flatMap((branch) => {
    if (!branch.properties) return [];
    const kind = (branch.properties["kind"] as Field | undefined)?.const;
    const title = kind === undefined ? Object.keys(branch.properties).join(", ") : `kind: ${kind}`;
    return [...(schema.anyOf || schema.oneOf ? [`**\`${title}\`**`] : []), table(branch, sections)];
  });
  return [...heading.filter(Boolean), ...tables];
}

function table(mapping: Field, sections: Map<string, Section>): string {
  const rows = Object.entries(mapping.properties ?? {}).map(([key, property]) => {
    const field = property as Field;
    const cells = [`\`${key}\``, typeText(field, sections), defaultText(mapping, key), field.description ?? ""];
    return `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
  });
  return ["| field | type | default | meaning |", "|---|---|---|---|", ...rows].join("\n");
}

function typeText(field: Field, sections: Map<string, Section>): string {
  const all = branches(field);
  const words = all.flatMap((branch) => {
    if (branch.enum || branch.const !== undefined)
      return (branch.enum ?? [branch.const]).map((value) => `\`${value}\``).join(", ");
    return all.length > 1 && !branch.properties ? typeText(branch, sections) : [];
  });
  const section = sections.get(identity(field));
  if (section) return [...words, `[mapping](#${anchor(headingOf(section.paths))})`].join(" or ");
  if (words.length > 0) return words.join();
  switch (field.type) {
    case "integer":
    case "number":
      return [field.type === "integer" ? "whole number" : "number", bounds(field)].filter(Boolean).join(" ");
    case "boolean":
      return "`true` or `false`";
    case "array":
      return `list of: ${typeText(entries(field), sections)}`;
    default:
      return "text";
  }
}

function bounds(field: Field): string {
  const all = { ">": field.exclusiveMinimum, "≥": field.minimum, "<": field.exclusiveMaximum, "≤": field.maximum };
  return Object.entries(all)
    .filter(([, bound]) => bound !== undefined)
    .map(([sign, bound]) => `${sign} ${bound}`)
    .join(", ");
}

function defaultText(mapping: Field, key: string): string {
  if (mapping.required?.includes(key)) return "needed";
  const value = (mapping.properties?.[key] as Field | undefined)?.default;
  if (value === undefined || JSON.stringify(value) === "{}") return "–";
  return `\`${JSON.stringify(value).replaceAll('"', "").replaceAll(":", ": ")}\``;
}

function branches(schema: Field): Field[] {
  return (schema.anyOf ?? schema.oneOf ?? [schema]) as Field[];
}

function entries(list: Field): Field {
  return list.items as Field;
}

function isChoiceOrMapping(schema: Field): boolean {
  return branches(schema).some((branch) => branch.properties !== undefined);
}

/** Equal for fields that take the same. */
function identity({ description: _, default: __, ...schema }: Field): string {
  return JSON.stringify(schema);
}

function headingOf(paths: readonly string[]): string {
  return paths.map((path) => `\`${path}\``).join(", ");
}

/** The anchor that Markdown renderers give a heading. */
function anchor(heading: string): string {
  return heading
    .toLowerCase()
    .replace(/[^\w\- ]/g, "")
    .replaceAll(" ", "-");
}
