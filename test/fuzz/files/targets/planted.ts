/** Readers that do what none may: the harness must find each of them. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { LimbeckError } from "../../../../core/errors.ts";
import { type Nasty, promise, type Target, textFolder } from "../target.ts";

const misdeeds: Readonly<Record<string, (folder: string) => void>> = {
  "throws what is no LimbeckError": () => {
    (null as unknown as { field: number }).field = 1;
  },
  "calls it an error of its own": () => {
    throw new LimbeckError("internal", "file is odd");
  },
  "names no file": () => {
    throw new LimbeckError("corrupt", "something is damaged");
  },
  "says too much": () => {
    throw new LimbeckError("corrupt", `misdeed.txt holds ${"x".repeat(5_000)}`);
  },
  "breaks a promise": () => promise(false, "has no weights"),
  "leaves its folder": (folder) => void readFileSync(join(folder, "../canary")),
  pollutes: () => {
    (Object.prototype as Record<string, unknown>)["polluted"] = 1;
  },
  "takes too much memory": () => void Buffer.alloc(400 << 20, 1),
  "ends the process": () => void process.kill(process.pid, "SIGKILL"),
  "takes what must be refused": () => {},
};

/** In their order. */
export const plantedFaults = Object.keys(misdeeds);

export const target: Target = {
  open: async () => ({
    seeds: [textFolder({ "misdeed.txt": "none" })],
    nasties: Object.fromEntries(
      plantedFaults.map((misdeed): [string, Nasty] => [
        misdeed,
        { ...textFolder({ "misdeed.txt": misdeed }), must: "be refused" },
      ]),
    ),
    async read(folder) {
      const misdeed = readFileSync(join(folder, "misdeed.txt"), "utf8");
      if (!(misdeed in misdeeds)) throw new LimbeckError("corrupt", "misdeed.txt names none");
      misdeeds[misdeed]!(folder);
    },
  }),
};
