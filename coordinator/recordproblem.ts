/** Records as they are read back: a checksum says that they are what was written, and not by whom. */
import { z } from "zod";

/** Of each kind what is looked at: others may be there, too. */
export type RecordShapes<R extends { readonly kind: string }> = Readonly<Record<R["kind"], z.ZodRawShape>>;

/** @returns what says what is wrong with the first record that is, by its number in the journal; null where none is */
export function recordProblem<R extends { readonly kind: string }>(
  shapes: RecordShapes<R>,
): (records: Iterable<R>) => string | null {
  const schemas = new Map<unknown, z.ZodType>(
    Object.entries<z.ZodRawShape>(shapes).map(([kind, shape]) => [kind, z.looseObject(shape)]),
  );
  return (records) => {
    let number = 0;
    for (const record of records as Iterable<R | null>) {
      number++;
      const kind = record?.kind;
      const parsed = schemas.get(kind)?.safeParse(record);
      if (!parsed) return `record ${number} is of no kind that is known here`;
      if (parsed.success) continue;
      const { path, message } = parsed.error.issues[0]!;
      return `record ${number}, of the kind ${kind}: ${path.join(".")}: ${message}`;
    }
    return null;
  };
}
