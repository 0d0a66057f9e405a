/** Checkpoints: all that resuming a stage needs, in one folder written whole (L4). */
import { readdir } from "node:fs/promises";
import { basename, join } from "node:path";
import { asLimbeckError, LimbeckError } from "../../core/errors.ts";
import { type Layout, sizeOf } from "../../core/layout.ts";
import {
  checkpointName,
  checkpointStep,
  type Manifest,
  manifestLayout,
  manifestParameters,
} from "../../core/manifest.ts";
import type { Stage } from "../../core/stages.ts";
import { excerpt } from "../../core/words.ts";
import { sha256InTurns } from "../turns.ts";
import { bytesOf, joinBytes } from "./bytes.ts";
import { removeFolderWhole, writeFolderWhole } from "./durable.ts";
import { sweepLeftovers } from "./leftovers.ts";
import { decodeSafetensors, type SafeTensor, safetensorsParts } from "./safetensors.ts";
import { readManifest, readWhole, sealManifest } from "./sealed.ts";

export interface Checkpoint {
  readonly stage: Stage;
  /** Updates applied to the weights. */
  readonly step: number;
  readonly term: number;
  /** sha256 of what decides the result of the job (core/jobdigest.ts). */
  readonly jobSha256: string;
  readonly datasetDigest: string;
  /** As `weightsSha256` gives it. */
  readonly weightsSha256: string;
  readonly layout: Layout;
  /** [layout.weights] */
  readonly weights: Float32Array;
  /** The optimizer's state vectors, one after another and equally long; `slots` names them. */
  readonly optimizer: { readonly slots: readonly string[]; readonly state: Float32Array };
  readonly ledger: {
    /** How often each example was consumed in the epoch in progress. */
    readonly seen: Uint8Array;
    /** Totals, the epoch in progress included where it can be (core/consumption.ts). */
    readonly consumed: Manifest["consumed"];
  };
  /** Steps skipped because their gradient was not finite; of them, the last ones in a row. */
  readonly skips: { readonly total: number; readonly inARow: number };
}

export const manifestName = "manifest.json";
export const fileNames = ["weights.safetensors", "optimizer.safetensors", "ledger.safetensors"] as const;
type FileName = (typeof fileNames)[number];

/**
 * Writes `root/<stage>-<step>/`, in place of one of the same name. The vectors must stay as they are until it is done.
 * @returns the folder, and the bytes of its files
 * @throws LimbeckError `unavailable` where the disk does not take it; nothing is left then
 */
export async function saveCheckpoint(root: string, checkpoint: Checkpoint): Promise<{ folder: string; bytes: number }> {
  const { stage, step, term, jobSha256, datasetDigest, weightsSha256, layout, optimizer, ledger, skips } = checkpoint;
  const folder = join(root, checkpointName(stage, step));
  const contents = encode(checkpoint);
  return writeFolderWhole(folder, manifestName, async (write) => {
    const files: Manifest["files"] = {
      "weights.safetensors": await write("weights.safetensors", contents["weights.safetensors"]),
      "optimizer.safetensors": await write("optimizer.safetensors", contents["optimizer.safetensors"]),
      "ledger.safetensors": await write("ledger.safetensors", contents["ledger.safetensors"]),
    };
    const manifest: Manifest = {
      ...{ format: "limbeck-checkpoint", version: 2 },
      ...{ stage, step, term, jobSha256, datasetDigest, weightsSha256 },
      parameters: manifestParameters(layout),
      slots: [...optimizer.slots],
      consumed: ledger.consumed,
      skipped: skips.total,
      skippedInARow: skips.inARow,
      files,
    };
    const sealed = await write(manifestName, sealManifest(manifest));
    return { folder, bytes: fileNames.reduce((sum, name) => sum + files[name].bytes, sealed.bytes) };
  });
}

/**
 * Reads a checkpoint and verifies every byte of it.
 * @throws LimbeckError `corrupt` naming the file that is missing or not what was written
 */
export async function loadCheckpoint(folder: string): Promise<Checkpoint> {
  const manifest = await readManifest(join(folder, manifestName));
  const tensorsOf = async (name: FileName): Promise<readonly SafeTensor[]> => {
    const path = join(folder, name);
    const { bytes, sha256 } = manifest.files[name];
    const content = await readWhole(path, bytes);
    if (content.length !== bytes) {
      throw new LimbeckError("corrupt", `${path} has ${content.length} bytes, its manifest says ${bytes}`);
    }
    if ((await sha256InTurns([content])) !== sha256) {
      throw new LimbeckError("corrupt", `${path} is not what was written: its sha256 differs from its manifest's`);
    }
    return decodeSafetensors(content, path).tensors;
  };
  const layout = manifestLayout(manifest);
  const { stage, step, term, jobSha256, datasetDigest, weightsSha256, consumed, slots } = manifest;
  const slotsWanted = slots.map((name) => ({ name, size: layout.trainable }));
  const weights = floats(
    await tensorsOf("weights.safetensors"),
    layout.parameters,
    join(folder, "weights.safetensors"),
  );
  const state = floats(await tensorsOf("optimizer.safetensors"), slotsWanted, join(folder, "optimizer.safetensors"));
  const { skipped: total, skippedInARow: inARow } = manifest;
  const [counted, ...others] = await tensorsOf("ledger.safetensors");
  if (counted?.name !== "seen" || counted.dtype !== "U8" || others.length > 0) {
    throw new LimbeckError(
      "corrupt",
      `${join(folder, "ledger.safetensors")} does not hold the bytes "seen", and only them`,
    );
  }
  const seen = joinBytes([counted.bytes]);
  return {
    ...{ stage, step, term, jobSha256, datasetDigest, weightsSha256 },
    ...{ layout, weights, optimizer: { slots, state }, ledger: { seen, consumed } },
    skips: { total, inARow },
  };
}

/** The newest whole checkpoint of a stage, with those that were newer and not whole. */
export interface LatestCheckpoint {
  readonly latest: { readonly folder: string; readonly checkpoint: Checkpoint } | null;
  readonly skipped: readonly { readonly folder: string; readonly why: string }[];
}

export interface WantedCheckpoint {
  /** Only checkpoints of earlier steps. */
  readonly below: number;
  /** Why a whole one will not do all the same; null where it does. */
  refuses(checkpoint: Checkpoint): string | null;
}

const any: WantedCheckpoint = { below: Number.POSITIVE_INFINITY, refuses: () => null };

/** Finds the newest checkpoint of a stage whose manifest and hashes hold. A root that does not exist has none. */
export async function latestCheckpoint(
  root: string,
  stage: Stage,
  wanted: WantedCheckpoint = any,
): Promise<LatestCheckpoint> {
  await sweepLeftovers(root);
  const skipped: { folder: string; why: string }[] = [];
  for (const folder of await newestFirst(root, stage)) {
    if (checkpointStep(stage, basename(folder))! >= wanted.below) continue;
    try {
      const checkpoint = await loadCheckpoint(folder);
      const isRenamed = basename(folder) !== checkpointName(stage, checkpoint.step);
      const why = isRenamed
        ? `${folder} holds ${checkpoint.stage} step ${checkpoint.step}: it was renamed`
        : wanted.refuses(checkpoint);
      if (why === null) return { latest: { folder, checkpoint }, skipped };
      skipped.push({ folder, why });
    } catch (thrown) {
      const error = asLimbeckError(thrown);
      if (error.code !== "corrupt") throw error;
      skipped.push({ folder, why: error.message });
    }
  }
  return { latest: null, skipped };
}

/** Removes the checkpoints of a stage from a step on. Others may be at it, too. */
export async function dropCheckpoints(root: string, stage: Stage, from: number): Promise<void> {
  for (const folder of await newestFirst(root, stage)) {
    const isDropped = checkpointStep(stage, basename(folder))! >= from;
    if (isDropped)
      await removeFolderWhole(folder).catch(
        (cause: NodeJS.ErrnoException) => cause.code === "ENOENT" || Promise.reject(cause),
      );
  }
}

/** Removes all but the newest `keep` checkpoints of a stage, and those of a name that is `spared`. */
export async function pruneCheckpoints(
  root: string,
  stage: Stage,
  { keep, spared = new Set() }: { readonly keep: number; readonly spared?: ReadonlySet<string> },
): Promise<void> {
  const old = (await newestFirst(root, stage)).slice(keep).filter((folder) => !spared.has(basename(folder)));
  for (const folder of old) await removeFolderWhole(folder);
}

async function newestFirst(root: string, stage: Stage): Promise<string[]> {
  const entries = await readdir(root).catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === "ENOENT") return [];
    throw new LimbeckError("unavailable", `cannot read the checkpoints in ${root}: ${cause.message}`, { cause });
  });
  return entries
    .flatMap((name) => {
      const step = checkpointStep(stage, name);
      return step === null ? [] : [{ step, folder: join(root, name) }];
    })
    .sort((a, b) => b.step - a.step)
    .map(({ folder }) => folder);
}

function encode({ layout, weights, optimizer, ledger }: Checkpoint): Record<FileName, readonly Uint8Array[]> {
  const { slots, state } = optimizer;
  const slotSize = slots.length === 0 ? 0 : state.length / slots.length;
  if (weights.length !== layout.weights || state.length !== slotSize * slots.length || !Number.isInteger(slotSize)) {
    throw new LimbeckError("internal", `${weights.length} weights and ${state.length} floats of state fit no layout`);
  }
  const f32 = (name: string, shape: readonly number[], values: Float32Array): SafeTensor => {
    return { name, shape, dtype: "F32", bytes: bytesOf(values) };
  };
  return {
    "weights.safetensors": safetensorsParts(
      layout.parameters.map(({ name, shape, offset, size }) =>
        f32(name, shape, weights.subarray(offset, offset + size)),
      ),
      { format: "limbeck" },
    ),
    "optimizer.safetensors": safetensorsParts(
      slots.map((name, slot) => f32(name, [slotSize], state.subarray(slot * slotSize, (slot + 1) * slotSize))),
    ),
    "ledger.safetensors": safetensorsParts([
      { name: "seen", shape: [ledger.seen.length], dtype: "U8", bytes: ledger.seen },
    ]),
  };
}

interface WantedFloats {
  readonly name: string;
  readonly size: number;
}

/** The float tensors of these names and sizes, one after another. @throws LimbeckError `corrupt` for any others */
function floats(tensors: readonly SafeTensor[], wanted: readonly WantedFloats[], path: string): Float32Array {
  const found = new Map(tensors.map((tensor) => [tensor.name, tensor]));
  const names = new Set(wanted.map(({ name }) => name));
  if (names.size !== wanted.length || found.size !== wanted.length) {
    throw new LimbeckError("corrupt", `${path} holds ${found.size} tensors, its manifest wants ${names.size}`);
  }
  const parts = wanted.map(({ name, size }) => {
    const tensor = found.get(name);
    if (tensor?.dtype === "F32" && sizeOf(tensor.shape) === size) return tensor.bytes;
    const is = tensor ? `${sizeOf(tensor.shape)} of ${tensor.dtype}` : "not there";
    throw new LimbeckError(
      "corrupt",
      `${path}: the tensor ${excerpt(name)} is ${is}, its manifest wants ${size} of F32`,
    );
  });
  return new Float32Array(joinBytes(parts).buffer);
}
