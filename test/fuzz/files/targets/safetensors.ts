/** safetensors, whoever wrote them. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { decodeSafetensors, encodeSafetensors, type SafeTensor } from "../../../../worker/artifacts/safetensors.ts";
import { safetensorsFile } from "../generate.ts";
import { type Folder, type Nasty, promise, type Target } from "../target.ts";

const name = "x.safetensors";
const kernel = { name: "k", shape: [2, 1], dtype: "F32", bytes: new Uint8Array(8).fill(7) } as const;
const flags = { name: "f", shape: [3], dtype: "U8", bytes: Uint8Array.of(1, 2, 255) } as const;
const empty = { name: "e", shape: [0, 4], dtype: "F64", bytes: new Uint8Array() } as const;
const written = (tensors: readonly SafeTensor[]): Folder => ({
  files: { [name]: encodeSafetensors(tensors, { format: "limbeck" }) },
});
const entry = (shape: readonly number[], from: number, to: number, dtype = "F32") =>
  JSON.stringify({ dtype, shape, data_offsets: [from, to] });
const refused = (header: string, data: number): Nasty => ({
  files: { [name]: safetensorsFile(header, Buffer.alloc(data)) },
  must: "be refused",
});
/** Eight bytes that are a header but for one of them. */
const noText = Buffer.concat([long(8n).files[name]!.subarray(0, 8), Buffer.from('{"\xff":10}', "latin1")]);

function long(length: bigint): Nasty {
  const file = Buffer.alloc(16);
  file.writeBigUInt64LE(length);
  return { files: { [name]: file }, must: "be refused" };
}

export const target: Target = {
  open: async () => ({
    seeds: [written([kernel, flags, empty]), written([flags]), written([])],
    nasties: {
      "a header longer than the file": long(17n),
      "a header of 100 MB and more": long(100_000_001n),
      "a header of 2^64 - 1": long(2n ** 64n - 1n),
      "a header of 2^63": long(2n ** 63n),
      "data that overlap": refused(`{"a":${entry([2], 0, 8)},"b":${entry([2], 4, 12)}}`, 12),
      "data with a hole": refused(`{"a":${entry([1], 0, 4)},"b":${entry([1], 8, 12)}}`, 12),
      "one name twice": refused(`{"a":${entry([1], 0, 4)},"a":${entry([1], 4, 8)}}`, 8),
      "one name twice, of nothing": refused(`{"a":${entry([0], 0, 0)},"a":${entry([0], 0, 0)}}`, 4),
      "a shape that overflows": refused(`{"a":${entry([2 ** 31, 2 ** 31, 2 ** 31], 0, 8)}}`, 8),
      "a shape that overflows to nothing": refused(`{"a":${entry(Array(40).fill(2 ** 52), 0, 0)}}`, 0),
      "a shape of a hundred thousand sides": refused(`{"a":${entry(Array(100_000).fill(1), 0, 8)}}`, 8),
      "a side below 0": refused(`{"a":${entry([-1, -1], 0, 4)}}`, 4),
      "a side that is no integer": refused(`{"a":${entry([0.5, 8], 0, 16)}}`, 16),
      "an unknown type": refused(`{"a":${entry([1], 0, 4, "F31")}}`, 4),
      "a type of JavaScript": refused(`{"a":${entry([1], 0, 4, "constructor")}}`, 4),
      "no UTF-8": { files: { [name]: noText }, must: "be refused" },
      "lists in lists": refused(`{"a":${"[".repeat(100_000)}${"]".repeat(100_000)}}`, 0),
      "a name of a megabyte": refused(`{"${"n".repeat(1 << 20)}":1}`, 0),
      "a prototype": refused(`{"__proto__":${entry([2], 0, 8)}}`, 4),
      "a prototype that is a tensor": {
        files: { [name]: safetensorsFile(`{"__proto__":${entry([2], 0, 8)}}`, Buffer.alloc(8)) },
        must: "be taken",
      },
      "metadata of metadata": refused('{"__metadata__":{"a":{"b":1}}}', 0),
    },
    async read(folder) {
      const file = await readFile(join(folder, name)).catch(() => Buffer.alloc(0));
      const { tensors } = decodeSafetensors(file, name);
      const bytes = tensors.reduce((sum, tensor) => sum + tensor.bytes.length, 0);
      promise(bytes <= file.length, "its tensors have more bytes than the file");
      promise(new Set(tensors.map((tensor) => tensor.name)).size === tensors.length, "two tensors have one name");
      const again = decodeSafetensors(encodeSafetensors(tensors), name).tensors;
      promise(again.length === tensors.length, "written again it has other tensors");
    },
  }),
};
