/** How far a child is, in a file: a process that is killed, runs out of memory or never comes back says nothing else. */
import { closeSync, existsSync, openSync, readFileSync, writeSync } from "node:fs";

export interface Progress {
  /** The input that is being read. */
  number: number;
  inputs: number;
  accepted: number;
  refused: number;
  faults: number;
  slowestMs: number;
  peakMiB: number;
}

const fields = ["number", "inputs", "accepted", "refused", "faults", "slowestMs", "peakMiB"] as const;

export function readProgress(file: string): Progress {
  const values = existsSync(file) ? new Float64Array(new Uint8Array(readFileSync(file)).buffer) : [];
  return Object.fromEntries(fields.map((field, at) => [field, values[at] ?? 0])) as unknown as Progress;
}

/** Goes on with what the file says. */
export function openProgress(file: string): { readonly progress: Progress; write(): void; close(): void } {
  const progress = readProgress(file);
  const opened = openSync(file, "w");
  const write = () =>
    void writeSync(
      opened,
      Float64Array.from(fields, (field) => progress[field]),
      0,
      8 * fields.length,
      0,
    );
  write();
  return { progress, write, close: () => closeSync(opened) };
}
