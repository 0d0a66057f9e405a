/** Which paths this process opens, moves or removes: a reader that leaves the folder it was given shows here. */
import fs from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import { resolve, sep } from "node:path";

// Before anything is replaced.
const { realpathSync } = fs;
const inTurn = [
  "open",
  "readFile",
  "writeFile",
  "appendFile",
  "truncate",
  "mkdir",
  "readdir",
  "rename",
  "rm",
  "unlink",
];
const atOnce = ["openSync", "readFileSync", "writeFileSync", "readdirSync", "mkdirSync", "renameSync", "rmSync"];
const streams = ["createReadStream", "createWriteStream"];

let seen: Set<string> | null = null;

/** Once per process. What others imported by name is watched, too. */
export function watchOpening(): void {
  for (const name of inTurn) watch(fs.promises, name);
  for (const name of [...atOnce, ...streams]) watch(fs, name);
  syncBuiltinESMExports();
}

function watch(module: object, name: string): void {
  const functions = module as Record<string, (...args: unknown[]) => unknown>;
  const original = functions[name]!;
  functions[name] = (...args) => {
    for (const path of name.startsWith("rename") ? args.slice(0, 2) : args.slice(0, 1)) note(path);
    return original(...args);
  };
}

function note(path: unknown): void {
  if (typeof path !== "string") return;
  try {
    seen?.add(realpathSync(path));
  } catch {
    seen?.add(resolve(path));
  }
}

/** @returns what `work` threw, if it did, and the paths that were opened meanwhile, links followed */
export async function watched(work: () => Promise<void>): Promise<{ thrown: unknown; opened: ReadonlySet<string> }> {
  const opened = new Set<string>();
  seen = opened;
  try {
    await work();
    return { thrown: null, opened };
  } catch (thrown) {
    return { thrown, opened };
  } finally {
    seen = null;
  }
}

/** Of these paths one that is none of a reader's, that was given `place/in` and may write into `place/out`. */
export function trespass(opened: Iterable<string>, place: string): string | null {
  for (const path of opened) {
    const isIts = isWithin(path, `${place}/in`) || isWithin(path, `${place}/out`);
    if (!isIts && (isWithin(path, place) || isWithin(path, "/etc"))) return path;
  }
  return null;
}

function isWithin(path: string, folder: string): boolean {
  return path === folder || path.startsWith(folder + sep);
}
