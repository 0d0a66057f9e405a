/** What a command prints, as it comes. */
import { once } from "node:events";
import type { Running } from "./limbeck.ts";

export class Said {
  text = "";
  readonly #stream: NodeJS.ReadableStream;

  constructor(running: Pick<Running, "process">, stream: "stdout" | "stderr" = "stdout") {
    this.#stream = running.process[stream]!;
    running.process[stream]!.setEncoding("utf8").on("data", (text: string) => {
      this.text += text;
    });
  }

  /** @param from how much of the text is passed over */
  async until(pattern: RegExp, from = 0): Promise<void> {
    const signal = AbortSignal.timeout(60_000);
    while (!pattern.test(this.text.slice(from))) await once(this.#stream, "data", { signal });
  }
}
