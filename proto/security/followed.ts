/** Files that change while a process runs: certificates that are renewed, tokens, lists of what is revoked. */
import { readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { LimbeckError } from "../../core/errors.ts";

export interface Followed<T> {
  /** What the files hold, as they were last whole. */
  readonly current: T;
  /** Calls back with each later one. @returns ends that */
  onChange(changed: (current: T) => void): () => void;
  close(): void;
}

export interface Following<T> {
  /** By what they are called in messages: the options that named them. */
  readonly files: Readonly<Record<string, string>>;
  /** @throws LimbeckError where the files are not what they should be */
  parse(texts: Readonly<Record<string, string>>): T;
  /** A changed file is used now, or cannot be. */
  told(level: "info" | "warn", why: string): void;
  readonly everyMs?: number;
}

const usualEveryMs = 1_000;

/**
 * Looks again and again, by content: a mounted secret changes by a link that is put in place of another. What cannot be
 * used, for one file is written and the other not yet, say, is passed over: what was there stays.
 * @throws LimbeckError `usage` where the files cannot be used the first time
 */
export function follow<T>({ files, parse, told, everyMs = usualEveryMs }: Following<T>): Followed<T> {
  const names = Object.keys(files);
  const hearers = new Set<(current: T) => void>();
  let used = namedTexts(
    names,
    names.map((name) => readNow(name, files[name]!)),
  );
  let current = parse(used);
  let refused: Readonly<Record<string, string>> | null = null;
  let isToldOf = false;
  const what = names.map((name) => files[name]).join(", ");

  const look = async () => {
    let texts: Readonly<Record<string, string>>;
    try {
      texts = namedTexts(names, await Promise.all(names.map((name) => readFile(files[name]!, "utf8"))));
      if (isSame(texts, used)) {
        refused = null;
        return;
      }
      const isFirstSight = refused === null || !isSame(texts, refused);
      if (isFirstSight) isToldOf = false;
      current = parse(texts);
      used = texts;
      refused = null;
    } catch (thrown) {
      // Told of at the second sight: most of what is half written is whole by then.
      if (refused !== null && !isToldOf) {
        isToldOf = true;
        told("warn", `the change is not used, what was there before stays: ${(thrown as Error).message}`);
      }
      refused = texts! ?? {};
      return;
    }
    told("info", `${what}: the change is used from now on`);
    for (const hear of hearers) hear(current);
  };
  const timer = setInterval(() => void look(), everyMs).unref();

  return {
    get current() {
      return current;
    },
    onChange(changed) {
      hearers.add(changed);
      return () => hearers.delete(changed);
    },
    close: () => clearInterval(timer),
  };
}

function readNow(name: string, file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    const why = code === "ENOENT" ? "there is no such file" : code === "EACCES" ? "permission is denied" : message;
    throw new LimbeckError("usage", `${name}: ${file} cannot be read: ${why}`, { cause });
  }
}

function namedTexts(names: readonly string[], texts: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries(names.map((name, at) => [name, texts[at]!]));
}

function isSame(a: Readonly<Record<string, string>>, b: Readonly<Record<string, string>>): boolean {
  return Object.keys(a).length === Object.keys(b).length && Object.keys(a).every((name) => a[name] === b[name]);
}
