/**
 * `npm test [FILTER…]`: installs what is needed, then runs the compiled tests (those whose path holds a filter; without one
 * all but those in long/, whole jobs that take minutes) with Node's runner.
 */
import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { prepareOrExit } from "../cli/bootstrap.mjs";

await prepareOrExit();
const root = fileURLToPath(new URL("..", import.meta.url));
const { ensureEngine } = await import("../dist/worker/engine/install.js");
const engine = await ensureEngine("auto", { log: (line) => process.stderr.write(`limbeck: ${line}\n`) });
process.stderr.write(`limbeck: tests compute with ${engine.kind}: ${engine.why}\n`);

const filters = process.argv.slice(2);
const files = readdirSync(join(root, "dist/test"), { recursive: true, encoding: "utf8" })
  .filter((name) => name.endsWith(".test.js"))
  .filter((name) =>
    filters.length === 0 ? !name.startsWith("long/") : filters.some((filter) => name.includes(filter)),
  )
  .sort()
  .map((name) => join("dist/test", name));
if (files.length === 0) {
  process.stderr.write(`limbeck: no test has ${filters.join(" or ")} in its path\n`);
  process.exit(2);
}
const { status } = spawnSync(
  process.execPath,
  ["--enable-source-maps", "--test", "--test-concurrency=2", "--test-timeout=300000", ...files],
  {
    cwd: root,
    stdio: "inherit",
  },
);
process.exit(status ?? 1);
