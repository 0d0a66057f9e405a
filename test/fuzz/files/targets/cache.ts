/** Stores of soft targets: headers that say what is in them, and records. */
import { join } from "node:path";
import { LimbeckError } from "../../../../core/errors.ts";
import { checkStore } from "../../../../worker/cache/check.ts";
import { type StoreKey, storeId } from "../../../../worker/cache/key.ts";
import { Store } from "../../../../worker/cache/store.ts";
import { listStores, makeStore } from "../../../../worker/cache/stores.ts";
import { logitsOf, key as sampleKey } from "../../../worker/cache/samples.ts";
import { type Folder, inScratch, jsonOf, type Nasty, promise, readFolder, type Target } from "../target.ts";

const keys: readonly StoreKey[] = [
  { ...sampleKey, examples: 5, period: 2 },
  { ...sampleKey, examples: 3, period: 1, views: null, format: "float32", bits: null },
];
const examples = Uint32Array.of(0, 2);

/** As the product writes them. */
function seedOf(key: StoreKey): Promise<Folder> {
  return inScratch(async (scratch) => {
    const made = await makeStore(scratch, key, 1 << 20);
    if (!("folder" in made)) throw new Error(made.why);
    const store = new Store(made.folder, key);
    store.write(examples, 0, logitsOf(examples, 0));
    store.close();
    return readFolder(made.folder, storeId(key));
  });
}

/** The folder's name is that of its header. */
function mend(folder: Folder): Folder {
  try {
    const header = Object.keys(folder.files).find((name) => name.endsWith("/store.json"))!;
    const [was, is] = [header.split("/")[0]!, storeId(jsonOf<StoreKey>(folder, header))];
    return {
      files: Object.fromEntries(
        Object.entries(folder.files).map(([name, content]) => [name.replace(was, is), content]),
      ),
    };
  } catch {
    return folder; // Its header is none.
  }
}

export const target: Target = {
  async open() {
    const seeds = await Promise.all(keys.map(seedOf));
    const header = (changed: object): Nasty => {
      const key = { ...keys[0]!, ...changed } as StoreKey;
      const records = seeds[0]!.files[`${storeId(keys[0]!)}/records`]!;
      const id = storeId(key);
      return { files: { [`${id}/store.json`]: Buffer.from(JSON.stringify(key)), [`${id}/records`]: records } };
    };
    const refused = (changed: object): Nasty => ({ ...header(changed), must: "be refused" });
    return {
      seeds,
      nasties: {
        "2^53 examples": header({ examples: 2 ** 53 - 1 }),
        "2^53 examples in 2^53 views": refused({ examples: 2 ** 53 - 1, period: 2 ** 53 - 1 }),
        "2^53 classes": refused({ classes: 2 ** 53 - 1 }),
        "a billion classes": refused({ classes: 1e9 }),
        "classes below 0": refused({ classes: -5 }),
        "half a class": refused({ classes: 3.5 }),
        "examples that are text": refused({ examples: "5" }),
        "no format": refused({ format: 5 }),
        "views of nothing": refused({ views: { spec: { shift: null }, seed: "x" } }),
        "a header of null": { files: { [`${"0".repeat(32)}/store.json`]: Buffer.from("null") }, must: "be refused" },
        "a header without an end": {
          files: {},
          links: { [`${"0".repeat(32)}/store.json`]: "/dev/zero" },
          must: "be refused",
        },
        "records without an end": {
          files: { [`${storeId(keys[0]!)}/store.json`]: seeds[0]!.files[`${storeId(keys[0]!)}/store.json`]! },
          links: { [`${storeId(keys[0]!)}/records`]: "/dev/zero" },
        },
        "a folder in place of records": {
          files: {
            [`${storeId(keys[0]!)}/store.json`]: seeds[0]!.files[`${storeId(keys[0]!)}/store.json`]!,
            [`${storeId(keys[0]!)}/records/x`]: Buffer.alloc(1),
          },
          must: "be refused",
        },
      },
      mend,
      async read(folder) {
        const stores = await listStores(folder);
        for (const { key, folder: path, bytes } of stores) {
          if (key === null) throw new LimbeckError("corrupt", `the header in ${path} is damaged`);
          promise(Number.isSafeInteger(bytes) && bytes >= 0, `it has ${bytes} bytes`);
          const { whole, damaged } = checkStore(path, key);
          promise(whole + damaged.length <= key.examples * key.period, "it has more records than it has room for");
        }
        // What a worker opens has its own key.
        for (const key of keys.filter((each) => stores.some(({ id }) => id === storeId(each)))) {
          const store = new Store(join(folder, storeId(key)), key);
          try {
            const { logits, missing } = store.read(examples, 0);
            promise(
              logits.length === examples.length * key.classes && missing.length <= examples.length,
              "it gives no logits",
            );
          } finally {
            store.close();
          }
        }
      },
    };
  },
};
