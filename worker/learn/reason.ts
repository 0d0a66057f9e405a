import { excerpt } from "../../core/words.ts";

/** Of a library that repeats what it was given. */
const longest = 1_000;

/** An error's message on one line, to stand inside a sentence. */
export function reasonOf(thrown: unknown): string {
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  return excerpt(message.trim().replace(/\s*\n\s*/g, " "), longest);
}
