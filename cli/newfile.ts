/** Files that are made once, and never written over. */
import { open } from "node:fs/promises";
import { dirname } from "node:path";
import { LimbeckError } from "../core/errors.ts";
import { syncFolder, writing } from "../proto/files.ts";

/** @throws LimbeckError `usage` where it is there already, `unavailable` where it cannot be written */
export async function writeNew(path: string, text: string, kind: "public" | "secret"): Promise<void> {
  await writing(path, async () => {
    try {
      // The mode is there from the first byte on.
      await using file = await open(path, "wx", kind === "secret" ? 0o600 : 0o644);
      await file.writeFile(text);
      await file.sync();
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code !== "EEXIST") throw cause;
      throw new LimbeckError("usage", `${path} is there already, and nothing is overwritten`, { cause });
    }
    await syncFolder(dirname(path));
  });
}
