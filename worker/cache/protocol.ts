/** What the main thread and the cache's thread say to each other. */
import type { StoreKey } from "./key.ts";
import type { Found } from "./store.ts";

/** What a cache is opened with. */
export interface CacheSettings {
  /** The folder of all stores. */
  readonly dir: string;
  /** Of that folder. */
  readonly maxBytes: number;
  readonly key: StoreKey;
}

export type CacheOrder =
  | { readonly kind: "read"; readonly id: number; readonly examples: Uint32Array; readonly view: number }
  | {
      readonly kind: "write";
      readonly examples: Uint32Array;
      readonly view: number;
      /** [examples, classes] */
      readonly logits: Float32Array;
    }
  /** After what was asked for before. */
  | { readonly kind: "close" };

export type CacheNews =
  | ({ readonly kind: "found"; readonly id: number } & Found)
  /** An order to write is done with, written or not. */
  | { readonly kind: "written"; readonly logitBytes: number }
  /** Something the cache cannot do from now on. */
  | { readonly kind: "trouble"; readonly why: string };
