/** Input number N of a target: the nasties first, then seeds that were changed by a draw of (seed, target, N). */
import { parse, stringify } from "yaml";
import { Draw, wordOf } from "../draw.ts";
import { mutatedBytes } from "./bytes.ts";
import type { Folder, Nasty, Opened } from "./target.ts";
import { mutatedTree } from "./tree.ts";

export interface Input extends Nasty {
  /** In words. */
  readonly what: string;
}

export function inputOf(opened: Opened, name: string, seed: number, number: number): Input {
  const nasty = Object.entries(opened.nasties)[number];
  if (nasty) return { what: nasty[0], ...nasty[1] };
  const draw = new Draw(seed, wordOf(name), number);
  const changed = changedFolder(draw.pick(opened.seeds), draw, opened.seeds);
  const isMended = opened.mend !== undefined && draw.chance(0.75);
  return { what: "a seed that was changed", ...(isMended ? opened.mend!(changed) : changed) };
}

function changedFolder(folder: Folder, draw: Draw, seeds: readonly Folder[]): Folder {
  const names = Object.keys(folder.files);
  const files = { ...folder.files };
  for (let count = draw.chance(0.85) ? 1 : 2; count > 0; count--) {
    const name = draw.pick(names);
    const content = Buffer.from(files[name] ?? []);
    const way = names.length > 1 ? draw.below(40) : 2;
    if (way === 0) delete files[name];
    else if (way === 1) files[name] = files[draw.pick(names)] ?? Buffer.alloc(0);
    else files[name] = changedFile(name, content, draw, seeds);
  }
  return { ...folder, files };
}

/** @param content of text, as text that is right; what cannot be read as such is changed as bytes */
function changedFile(name: string, content: Buffer, draw: Draw, seeds: readonly Folder[]): Buffer {
  const others = seeds.flatMap(({ files }) => (files[name] ? [Buffer.from(files[name])] : []));
  const structured = draw.chance(0.65) ? structures[name.replace(/^.*\./, "")] : undefined;
  try {
    if (structured) return Buffer.from(structured(content, draw));
  } catch {
    // Two changes of one file: the first has left nothing that could be read.
  }
  return mutatedBytes(content, draw, others);
}

/** By the ending of a file's name. */
const structures: Readonly<Record<string, (content: Buffer, draw: Draw) => string | Buffer>> = {
  json: (content, draw) => JSON.stringify(mutatedTree(JSON.parse(content.toString()), draw)) ?? "",
  yaml: (content, draw) => stringify(mutatedTree(parse(content.toString()), draw)),
  jsonl(content, draw) {
    const lines = content.toString().split("\n");
    const at = draw.below(lines.length);
    if (draw.chance(0.1)) lines.splice(at, 1);
    else lines[at] = JSON.stringify(mutatedTree(JSON.parse(lines[at]!), draw)) ?? "";
    return lines.join("\n");
  },
  safetensors(content, draw) {
    const length = Number(content.readBigUInt64LE());
    const header = mutatedTree(JSON.parse(content.toString("utf8", 8, 8 + length)), draw);
    return safetensorsFile(JSON.stringify(header) ?? "", content.subarray(8 + length));
  },
};

/** With a header that says anything, of the length that it has. */
export function safetensorsFile(header: string, data: Uint8Array): Buffer {
  const json = Buffer.from(header);
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(json.length));
  return Buffer.concat([length, json, data]);
}
