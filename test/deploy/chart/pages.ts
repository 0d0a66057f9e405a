/** What Limbeck's processes serve where --http says, as README.md has it. */
import { readFileSync } from "node:fs";
import { packagePath } from "../../../proto/package.ts";

const rows = readFileSync(packagePath("README.md"), "utf8")
  .split("\n")
  .filter((line) => line.startsWith("| `--http HOST:PORT` |"))
  .map((row) => [...row.matchAll(/`(\/\w+)`/g)].map(([, path]) => path!));

/** By command. */
export const pages: Readonly<Record<string, readonly string[]>> = { coordinator: rows[0]!, worker: rows[1]! };

/** Of all that serve pages; Prometheus asks for it, if it is told of no other. */
export const metricsPath = "/metrics";
