/** Text that others wrote, for a terminal: it is shown, and never obeyed. */

/** On one line, without characters that a terminal obeys or that turn the direction of writing. */
export function plain(text: string): string {
  return text.replace(/[\p{Cc}\p{Zl}\p{Zp}\u202a-\u202e\u2066-\u2069]+/gu, " ");
}

/** Of text that has lines of its own: each as `plain` makes it. */
export function plainLines(text: string): string {
  return text.split("\n").map(plain).join("\n");
}
