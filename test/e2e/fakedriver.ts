/** A GPU's driver for machines without one. */
import { chmodSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";

/**
 * Puts nvidia-smi into the folder: it says what a driver with one GPU would, for as long as it is asked.
 * @returns the environment in which it is found
 */
export function fakeDriver(folder: string): Record<string, string> {
  const file = join(folder, "nvidia-smi");
  writeFileSync(
    file,
    '#!/bin/sh\ncase "$*" in *--query-gpu=index,*) echo "0, 37, 1024, 81559"; exec sleep 600;; esac\nexit 1\n',
  );
  chmodSync(file, 0o755);
  return { PATH: `${folder}${delimiter}${process.env["PATH"]}` };
}
