/** Processes that want to lead (contender.ts), and what they say. */
import { type ChildProcess, fork } from "node:child_process";
import { EventEmitter, on } from "node:events";
import type { TestContext } from "node:test";
import { fileURLToPath } from "node:url";

type Words = Readonly<Record<string, unknown>>;

export interface ContenderProcess {
  readonly process: ChildProcess;
  /** The first that it said, or says, of this kind. */
  said(kind: string, from?: number): Promise<Words>;
  /** The last that it said so far. */
  last(kind: string): Words | undefined;
  /** How much it has said, for `from`: only what comes after counts. */
  count(): number;
}

const deadlineMs = 30_000;
// The sources and dist/ alike: .ts there, .js here.
const program = fileURLToPath(import.meta.url).replace(/contenders(\.[jt]s)$/, "contender$1");

export function startContender(t: TestContext, name: string, ...where: string[]): ContenderProcess {
  const child = fork(program, [name, ...where], { execArgv: ["--enable-source-maps"] });
  t.after(() => void child.kill("SIGKILL"));
  const words: Words[] = [];
  const news = new EventEmitter();
  child.on("message", (each: Words) => {
    words.push(each);
    news.emit("words", each);
  });
  return {
    process: child,
    async said(kind, from = 0) {
      const before = words.slice(from).find((each) => kind in each);
      if (before) return before;
      const signal = AbortSignal.timeout(deadlineMs);
      try {
        for await (const [each] of on(news, "words", { signal })) if (kind in each) return each;
      } catch {
        // The signal's error would not say what was waited for.
      }
      throw new Error(`${name} did not say "${kind}" in ${deadlineMs / 1000} s, but ${JSON.stringify(words.at(-1))}`);
    },
    last: (kind) => words.findLast((each) => kind in each),
    count: () => words.length,
  };
}
