/** A text from elsewhere, as it can be told again. */
import { excerpt } from "./words.ts";

/**
 * Not longer than so many UTF-16 units, but for a mark that it was cut, and Unicode: half of a surrogate pair, which JSON and
 * YAML can write, and which is left where a text is cut, can stand in no header and no file.
 */
export function told(text: string, longest: number): string {
  return excerpt(text, longest).replace(/\p{Surrogate}/gu, "\ufffd");
}
