/**
 * Writes the TypeScript types of proto/*.proto into proto/gen.
 *   node proto/generate.mjs          writes them
 *   node proto/generate.mjs --check  exits 1 where the checked-in types are not those of the proto (CI)
 * The options must be those of `loading` in proto/wire.ts: the types describe what it loads.
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const generated = join(here, "gen");

function generate(folder) {
  const manifest = createRequire(import.meta.url).resolve("@grpc/proto-loader/package.json");
  const { bin } = JSON.parse(readFileSync(manifest, "utf8"));
  const options = ["--longs=Number", "--enums=String", "--defaults", "--oneofs", "--grpcLib=@grpc/grpc-js"];
  const files = [
    "--targetFileExtension=.ts",
    "--importFileExtension=.ts",
    `--outDir=${folder}`,
    "limbeck.proto",
    "kserve.proto",
  ];
  execFileSync(process.execPath, [join(dirname(manifest), bin["proto-loader-gen-types"]), ...options, ...files], {
    cwd: here,
    stdio: ["ignore", "ignore", "inherit"],
  });
}

/** Relative path → text of every file below the folder. */
function contents(folder) {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return new Map(
    files.map((entry) => {
      const path = join(entry.parentPath, entry.name);
      return [path.slice(folder.length + 1), readFileSync(path, "utf8")];
    }),
  );
}

function check() {
  const folder = mkdtempSync(join(tmpdir(), "limbeck-proto-"));
  try {
    generate(folder);
    const [want, have] = [contents(folder), contents(generated)];
    const differing = [...new Set([...want.keys(), ...have.keys()])].filter(
      (file) => want.get(file) !== have.get(file),
    );
    if (differing.length === 0) return;
    console.error(`proto/gen differs from proto/*.proto in ${differing.join(", ")}: run node proto/generate.mjs`);
    process.exitCode = 1;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

if (process.argv.includes("--check")) {
  check();
} else {
  rmSync(generated, { recursive: true, force: true });
  generate(generated);
}
