/** `npm run bench -- NAME`: runs a benchmark, which prints one JSON line. */
import { readdirSync } from "node:fs";
import { prepareOrExit } from "../cli/bootstrap.mjs";

await prepareOrExit();
const names = readdirSync(new URL(".", import.meta.url))
  .filter((file) => file.endsWith(".ts"))
  .map((file) => file.slice(0, -3));
const name = process.argv[2];
if (!names.includes(name)) {
  process.stderr.write(
    `limbeck: ${name === undefined ? "name a benchmark" : `there is no benchmark ${name}`}: ${names.join(", ")}\n`,
  );
  process.exit(2);
}
await import(`../dist/bench/${name}.js`);
