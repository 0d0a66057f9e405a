/** An error's message on one line, to stand inside a sentence. */
export function reasonOf(thrown: unknown): string {
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  return message.trim().replace(/\s*\n\s*/g, " ");
}
