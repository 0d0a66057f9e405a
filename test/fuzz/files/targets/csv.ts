/** Datasets in CSV. */
import { gzipSync } from "node:zlib";
import { csvJob } from "../../../worker/data/samples.ts";
import { type Nasty, type Target, textFolder, withFiles } from "../target.ts";
import { bombOf, check } from "./idx.ts";

const numbered = textFolder({
  "train.csv": "x,label,y\n1,0,10\n2,2,20\n\n3.5,1,-3e1\n",
  "test.csv": "y, x ,label\r\n40,4,1\r\n",
});
const named = textFolder({
  "train.csv": '"x",label\n1,pear\n2,"ap,ple"\n3,pear\n4,"f""ig"\n',
  "test.csv": "x,label\n1,pear\n",
});
const refused = (train: string | Uint8Array): Nasty => ({
  ...withFiles(numbered, { "train.csv": train }),
  must: "be refused",
});
const columns = (count: number) => Array.from({ length: count }, (_, at) => `c${at}`).join(",");

export const target: Target = {
  open: async () => ({
    seeds: [numbered, named, withFiles(numbered, { "train.csv": gzipSync(numbered.files["train.csv"]!) })],
    nasties: {
      "a hundred thousand columns": refused(`${columns(100_000)}\n1\n`),
      "a hundred thousand columns that another file lacks": {
        ...withFiles(numbered, {
          "train.csv": `${columns(100_000)},label\n${"1,".repeat(100_000)}0\n${"1,".repeat(100_000)}1\n`,
        }),
        must: "be refused",
      },
      "a quote that never ends": refused(`x,label,y\n1,0,"${"2\n".repeat(100_000)}`),
      "a cell of a megabyte": refused(`x,label,y\n${"9".repeat(1 << 20)},0,1\n`),
      "names of a megabyte": refused(`x,label,y\n1,${"a".repeat(1 << 20)},1\n1,b,2\n`),
      "a class of 2^31 - 1": refused("x,label,y\n1,0,1\n1,2147483647,2\n"),
      "a class of 2^31 - 1 in the test": {
        ...withFiles(numbered, { "test.csv": "x,label,y\n1,2147483647,2\n" }),
        must: "be refused",
      },
      "numbers that are none": refused("x,label,y\nNaN,0,1\n1,1,Infinity\n"),
      "numbers of other kinds": refused("x,label,y\n0x10,0,1\n1n,1,1_000\n"),
      "names of JavaScript": {
        ...textFolder({
          "train.csv": "__proto__,constructor,label\n1,2,toString\n3,4,__proto__\n",
          "test.csv": "constructor,__proto__,label\n1,2,toString\n",
        }),
        must: "be taken",
      },
      "zeros and escapes": refused("x,label,y\n\0,\u001b[2J,\u202e\n"),
      "UTF-16": refused(Buffer.from("x,label,y\n1,0,2\n", "utf16le")),
      "not text": refused(Buffer.from([0x78, 0x2c, 0xff, 0xfe, 0x0a, 0x80, 0x2c, 0xc0, 0x0a])),
      "a bomb of gzip": refused(
        Buffer.concat([gzipSync("x,label,y\n"), bombOf(Buffer.alloc(6 << 18, "1,0,1\n"), 200)]),
      ),
      "lines without an end": refused("x,label,y\r1,0,2\r3,1"),
    },
    async read(folder) {
      await check(csvJob(), folder);
      await check(csvJob({ limit: 2, normalization: "standardize" }), folder);
    },
  }),
};
