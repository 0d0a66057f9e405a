/** What workers say is kept, told and compared: so names are short, sentences are cut, and numbers are numbers. */
import { LimbeckError } from "../core/errors.ts";
import { told } from "../core/told.ts";

/** Of a name, an address, a digest; UTF-16 units. */
const longestName = 256;
const longestSentence = 4_000;

/** Cuts the texts of a decoded message, of all its parts. @param whole fields that are no sentences */
export function shorten(part: object, whole: ReadonlySet<string>): void {
  if (ArrayBuffer.isView(part)) return;
  const fields = part as Record<string, unknown>;
  for (const [name, value] of Object.entries(fields)) {
    if (typeof value === "string") {
      if (!whole.has(name)) fields[name] = told(value, longestSentence);
    } else if (typeof value === "object" && value !== null) {
      shorten(value, whole);
    }
  }
}

/** @throws LimbeckError `corrupt` where one is too long */
export function checkNames(names: Readonly<Record<string, string>>): void {
  for (const [what, name] of Object.entries(names)) {
    if (name.length > longestName)
      throw new LimbeckError("corrupt", `${what} has ${name.length} characters, at most ${longestName} are taken`);
  }
}

/** @throws LimbeckError `corrupt` where one is negative or none at all */
export function checkAmounts(amounts: Readonly<Record<string, number>>): void {
  for (const [what, amount] of Object.entries(amounts)) {
    if (!(amount >= 0 && amount < Number.POSITIVE_INFINITY))
      throw new LimbeckError("corrupt", `${what} is ${amount}: it must be a number from 0 on`);
  }
}

/** @throws LimbeckError `corrupt` where there are more */
export function checkCount(what: string, count: number, most: number): void {
  if (count > most) throw new LimbeckError("corrupt", `${count} ${what} came, at most ${most} are taken`);
}
