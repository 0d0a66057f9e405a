/** What is known of all processes of a cluster: what they say, in one file, and how those ended that nobody had told to. */
import { createWriteStream, type WriteStream } from "node:fs";

export class Watch {
  /** In words, in the order in which they happened. */
  readonly surprises: string[] = [];
  readonly #log: WriteStream;
  readonly #expected = new WeakSet<object>();
  #isOver = false;

  /** @param file is added to */
  constructor(file: string) {
    this.#log = createWriteStream(file, { flags: "a" });
  }

  /** From then on nothing is started, and whatever ends was to. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** The end of this process is asked for. */
  expect(child: object): void {
    this.#expected.add(child);
  }

  isExpected(child: object): boolean {
    return this.#isOver || this.#expected.has(child);
  }

  note(name: string, said: string): void {
    if (this.#log.writableEnded) return;
    const at = new Date().toISOString();
    for (const line of said.split("\n").filter(Boolean)) this.#log.write(`${at} ${name}: ${line}\n`);
  }

  end(): void {
    this.#isOver = true;
  }

  close(): void {
    this.#log.end();
  }
}
