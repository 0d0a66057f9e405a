/**
 * Checkpoints of a depot. With one, it alone says which there are: what lies in the scratch folder only may be of a
 * replica that went wrong, and everyone but its writer went back behind it. It saves a transfer where it is the same.
 */
import { readFile, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { asLimbeckError, LimbeckError } from "../../core/errors.ts";
import { checkpointName, checkpointStep, checkpointsFolder } from "../../core/manifest.ts";
import type { Stage } from "../../core/stages.ts";
import type { Depot, DepotEntry } from "../../proto/depot/depot.ts";
import {
  type Checkpoint,
  fileNames,
  type LatestCheckpoint,
  loadCheckpoint,
  manifestName,
  type WantedCheckpoint,
} from "../artifacts/checkpoint.ts";
import { fillFolderWhole, removeFolderWhole } from "../artifacts/durable.ts";

export interface InDepot {
  readonly name: string;
  readonly step: number;
  /** Its manifest is there. */
  readonly isWhole: boolean;
}

/** Those of a stage, the newest first. */
export async function checkpointsIn(depot: Depot, stage: Stage, signal?: AbortSignal): Promise<InDepot[]> {
  return ofStage(await depot.list(checkpointsFolder, signal), stage);
}

function ofStage(entries: readonly DepotEntry[], stage: Stage): InDepot[] {
  const found = new Map<string, InDepot>();
  for (const { key } of entries) {
    const [, name = "", file = ""] = key.split("/");
    const step = checkpointStep(stage, name);
    if (step === null) continue;
    found.set(name, { name, step, isWhole: (found.get(name)?.isWhole ?? false) || file === manifestName });
  }
  return [...found.values()].sort((one, other) => other.step - one.step);
}

/**
 * The newest that will do, fetched into `root` where it is not there yet, and verified; with those passed over.
 * @throws LimbeckError `unavailable` where the depot, or the disk, is
 */
export async function fetchNewest(
  depot: Depot,
  { root, stage, wanted }: { readonly root: string; readonly stage: Stage; readonly wanted: WantedCheckpoint },
): Promise<LatestCheckpoint> {
  const skipped: { folder: string; why: string }[] = [];
  for (const { name, step, isWhole } of await checkpointsIn(depot, stage)) {
    if (step >= wanted.below || !isWhole) continue;
    const folder = join(root, name);
    try {
      return { latest: { folder, checkpoint: await fetched(depot, folder, { stage, step, wanted }) }, skipped };
    } catch (thrown) {
      const { code, message } = asLimbeckError(thrown);
      if (code !== "corrupt") throw thrown;
      skipped.push({ folder, why: message });
    }
  }
  return { latest: null, skipped };
}

interface Fetching {
  readonly stage: Stage;
  readonly step: number;
  readonly wanted: WantedCheckpoint;
}

/** @throws LimbeckError `corrupt` where it is damaged, or will not do */
async function fetched(depot: Depot, folder: string, fetching: Fetching): Promise<Checkpoint> {
  const key = `${checkpointsFolder}/${basename(folder)}`;
  const manifest = await depot.read(`${key}/${manifestName}`);
  const own = await ownCopy(folder, manifest);
  if (own) return checked(own, fetching);
  await removeFolderWhole(folder).catch((cause: NodeJS.ErrnoException) => {
    if (cause.code !== "ENOENT") throw cause;
  });
  return await fillFolderWhole(folder, manifestName, async (temporary) => {
    for (const name of fileNames) await depot.get(`${key}/${name}`, join(temporary, name));
    await writeFile(join(temporary, manifestName), manifest, { flush: true });
    const loaded = await loadCheckpoint(temporary).catch((thrown) => {
      const { code, message } = asLimbeckError(thrown);
      throw new LimbeckError(code, message.replaceAll(temporary, `${depot.where}/${key}`), { cause: thrown });
    });
    return checked(loaded, fetching);
  });
}

/** The one that lies here, where it is the same and whole. */
async function ownCopy(folder: string, manifest: Uint8Array): Promise<Checkpoint | null> {
  const own = await readFile(join(folder, manifestName)).catch(() => null);
  if (own === null || Buffer.compare(own, manifest) !== 0) return null;
  return await loadCheckpoint(folder).catch(() => null);
}

function checked(checkpoint: Checkpoint, { stage, step, wanted }: Fetching): Checkpoint {
  const isRenamed = checkpoint.stage !== stage || checkpoint.step !== step;
  const why = isRenamed
    ? `${checkpointName(stage, step)} holds ${checkpoint.stage} step ${checkpoint.step}: it was renamed`
    : wanted.refuses(checkpoint);
  if (why === null) return checkpoint;
  throw new LimbeckError("corrupt", why);
}
