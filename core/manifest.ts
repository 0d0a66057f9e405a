/** The manifest of a checkpoint: what it is of, and what its files must be. Written last (L4). */
import { z } from "zod";
import { type Layout, layoutOf, type Parameter } from "./layout.ts";
import { count, stage } from "./shapes.ts";

const sha256 = z.string().regex(/^[0-9a-f]{64}$/, "a sha256 in hex");

const parameter = z.strictObject({
  name: z.string(),
  shape: z.array(count),
  trainable: z.boolean(),
  decays: z.boolean(),
  maxNorm: z.number().optional(),
  averagingMomentum: z.number().optional(),
});

const file = z.strictObject({ bytes: count, sha256 });

export const manifestSchema = z.strictObject({
  format: z.literal("limbeck-checkpoint"),
  version: z.union([z.literal(1), z.literal(2)]),
  stage,
  step: count,
  term: count,
  /** Of what decides the result of the job (core/jobdigest.ts). */
  jobSha256: z.string(),
  datasetDigest: z.string(),
  /** Of all weights in the model's own order. */
  weightsSha256: sha256,
  /** In the order of the layout; offsets and sizes follow. */
  parameters: z.array(parameter),
  /** Names of the optimizer's state vectors; none for plain SGD. */
  slots: z.array(z.string()),
  /** Totals of what was consumed, as core/consumption.ts counts them. */
  consumed: z.strictObject({ epochs: count, seen: count, duplicated: count, missing: count }),
  /** Steps whose gradient was not finite, and how many of them were the last ones in a row. Version 1 has none. */
  skipped: count.default(0),
  skippedInARow: count.default(0),
  files: z.strictObject({
    "weights.safetensors": file,
    "optimizer.safetensors": file,
    "ledger.safetensors": file,
  }),
});

export type Manifest = z.output<typeof manifestSchema>;
/** What of a layout a manifest keeps. */
export type ManifestParameter = Manifest["parameters"][number];

/** The parameters of a layout as a manifest keeps them. */
export function manifestParameters(layout: Layout): ManifestParameter[] {
  return layout.parameters.map(({ offset: _offset, size: _size, shape, ...kept }) => ({ ...kept, shape: [...shape] }));
}

/** The layout a manifest describes, the same as it was made from. */
export function manifestLayout(manifest: Manifest): Layout {
  return layoutOf(
    manifest.parameters.map(({ maxNorm, averagingMomentum, ...rest }): Omit<Parameter, "offset" | "size"> => {
      return {
        ...rest,
        ...(maxNorm === undefined ? {} : { maxNorm }),
        ...(averagingMomentum === undefined ? {} : { averagingMomentum }),
      };
    }),
  );
}

/** The folder of all of them within a run's, or a job's in the depot. */
export const checkpointsFolder = "checkpoints";

/** The folder of a checkpoint within its run's checkpoints: sorts by step within a stage. */
export function checkpointName(stage: Manifest["stage"], step: number): string {
  return `${stage}-${String(step).padStart(8, "0")}`;
}

/** The step in a name that `checkpointName` gave for this stage; null for any other name. */
export function checkpointStep(stage: Manifest["stage"], name: string): number | null {
  const step = /^([a-z]+)-(\d{8,})$/.exec(name);
  return step?.[1] === stage ? Number(step[2]) : null;
}
