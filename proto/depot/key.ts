/** Keys of a depot: paths with slashes, of which none can lead out of the folder that a key is read into. */
import { LimbeckError } from "../../core/errors.ts";

// Of what every store takes as it is, and every file system as a name.
const segment = /^[A-Za-z0-9_-][A-Za-z0-9._-]*$/;
// S3 allows 1,024 bytes, a prefix of the bucket included.
const longestKey = 800;

export function isKey(key: string): boolean {
  return key.length <= longestKey && key.split("/").every((part) => segment.test(part));
}

/** @throws LimbeckError `usage` where it is none: empty, absolute, with `..`, or of other letters */
export function checkKey(key: string): string {
  if (isKey(key)) return key;
  const shown = JSON.stringify(key.slice(0, 80));
  const message = `${shown} is no path in a depot: names of letters, digits, dots, dashes and underscores, none of which begins with a dot, with slashes between them`;
  throw new LimbeckError("usage", message);
}

/** The key lies in the folder of that name, or is it. Everything lies in "". */
export function isWithin(prefix: string, key: string): boolean {
  return prefix === "" || key === prefix || key.startsWith(`${prefix}/`);
}

export function joinKey(prefix: string, key: string): string {
  if (prefix === "") return key;
  return key === "" ? prefix : `${prefix}/${key}`;
}
