/** What is to be undone at the end: a test has it of itself, a command opens one. */

export interface Scope {
  after(work: () => unknown): void;
}

export interface OpenScope extends Scope {
  /** The last first, each also where another fails. */
  close(): Promise<void>;
}

/** Also closes where the command is told to stop. */
export function openScope(): OpenScope {
  const works: (() => unknown)[] = [];
  const close = async () => {
    for (const work of works.splice(0).reverse()) {
      try {
        await work();
      } catch (thrown) {
        process.stderr.write(`${(thrown as Error).message}\n`);
      }
    }
  };
  const stop = () => void close().then(() => process.exit(1));
  process.once("SIGINT", stop).once("SIGTERM", stop);
  return { after: (work) => void works.push(work), close };
}
