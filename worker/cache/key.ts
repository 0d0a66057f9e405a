/** What a store of soft targets was made for (L6). Its id is the digest of this, and its folder's name. */
import { createHash } from "node:crypto";
import { z } from "zod";
import { recordBytes } from "../../core/caching.ts";
import type { ViewSpec } from "../../core/jobparts.ts";

export interface StoreKey {
  /** sha256 of the teacher's weights. */
  readonly teacher: string;
  /** Digest of the dataset. */
  readonly dataset: string;
  /** Of the training split. */
  readonly examples: number;
  readonly classes: number;
  /** As logits travel: what a student gets is rounded by it. */
  readonly format: string;
  /** What views are a function of, beside epoch and example; null for plain examples. */
  readonly views: { readonly spec: Omit<ViewSpec, "repeat">; readonly seed: number } | null;
  /** Views of each example. */
  readonly period: number;
  /** Exact numerics: what else decides the bits of a teacher's logits (L1). null where bits do not matter. */
  readonly bits: { readonly laneBatch: number; readonly engine: string } | null;
}

const count = z.int().positive();
/** Shown on terminals. */
const printable = z.string().regex(/^[ -~]*$/);

/** A header as it is read back, which another hand may have written: what it says is looked through, record by record. */
export const storeKeySchema = z
  .strictObject({
    teacher: printable,
    dataset: printable,
    examples: count,
    classes: count.max(1 << 16),
    format: printable,
    views: z
      .strictObject({ spec: z.strictObject({ shift: z.int().min(0), flip: z.boolean() }), seed: z.int().min(0) })
      .nullable(),
    period: count,
    bits: z.strictObject({ laneBatch: count, engine: printable }).nullable(),
  })
  .refine((key) => Number.isSafeInteger(recordBytes(key) * key.examples * key.period)) satisfies z.ZodType<StoreKey>;

/** Of records and files; another layout gives other ids, so that no build reads what it would misread. */
const layout = 1;

export function storeId(key: StoreKey): string {
  const { teacher, dataset, examples, classes, format, views, period, bits } = key;
  const spec = views && Object.entries(views.spec).sort(([one], [other]) => (one < other ? -1 : 1));
  const view = views && [spec, views.seed];
  const lane = bits && [bits.laneBatch, bits.engine];
  const parts = [layout, teacher, dataset, examples, classes, format, view, period, lane];
  return createHash("sha256").update(JSON.stringify(parts)).digest("hex").slice(0, 32);
}

/** The view policy in words. */
export function viewsText({ views, period }: StoreKey): string {
  if (views === null) return "plain";
  const words = Object.entries(views.spec).map(([name, value]) => `${name} ${value}`);
  return `${words.join(", ")}, seed ${views.seed}, ${period} epochs`;
}
