/** The `teacher` of the job schema: what a student may be, and models that are only asked. */
import { z } from "zod";
import { cnn, load, mlp, module } from "./jobparts.ts";
import { headers, tls } from "./jobserver.ts";

const layout = z
  .enum(["nhwc", "nchw", "flat"])
  .optional()
  .describe(
    "How the model takes an example [height, width, channels] of the dataset: as it is, channels first, or as one vector. Without it, the only one that fits the shape the model declares.",
  );

const asked = {
  input: z.string().optional().describe("Name of the input; needed where the model has several."),
  output: z.string().optional().describe("Name of the output; needed where the model has several."),
  layout,
  gives: z
    .enum(["logits", "probabilities", "logProbabilities"])
    .optional()
    .describe(
      "What the output holds; without it, logits. Of probabilities p the logits log p are used, which have the same softmax.",
    ),
  batch: z
    .int()
    .positive()
    .max(1 << 16)
    .optional()
    .describe(
      "Examples per call, the last call filled up with zeros; for a model or server that takes no more, or no other number. Without it, one call of as many as are wanted, or of the number the model declares.",
    ),
};

const loadAny = load.extend({
  load: z
    .string()
    .describe(
      "The model's folder or file, relative to the job file: a tfjs LayersModel or GraphModel (model.json), a TensorFlow SavedModel (folder with saved_model.pb), or ONNX (.onnx).",
    ),
  format: z
    .enum(["layers", "graph", "savedmodel", "onnx"])
    .optional()
    .describe(
      "Without it, found by the files. The fields below are for the other three: a LayersModel has one input, one output and its own softmax, which is left out.",
    ),
  ...asked,
  signature: z.string().optional().describe("Of a SavedModel, the signature that is called: serving_default."),
});

const remote = z
  .strictObject({
    remote: z
      .strictObject({
        address: z
          .string()
          .regex(/^[^\s/]+:\d+$/, "must be HOST:PORT, such as triton:8001")
          .describe("host:port of the server's gRPC service."),
        model: z.string().min(1).describe("The model's name on the server."),
        version: z.string().optional().describe("The model's version; without it, the server chooses."),
        ...asked,
        tls: tls
          .optional()
          .describe("Speak TLS with the server, and check who it is; `{}` where its certificate needs no more."),
        headers: headers
          .optional()
          .describe(
            "Sent with every request, such as a token. They are read anew for each, and stand in no log, event or report. Only with `tls`.",
          ),
        timeoutSeconds: z
          .number()
          .positive()
          .max(3600)
          .default(30)
          .describe(
            "How long an answer may take in all: a server that is away or busy is asked again until then. What happens then `softTargets.onNoTeacher` says.",
          ),
      })
      .superRefine(({ tls, headers }, { addIssue }) => {
        if (headers === undefined || tls !== undefined) return;
        const message = "would travel for all to read: give tls, too; {} where the server's certificate needs no more";
        addIssue({ code: "custom", path: ["headers"], message });
      })
      .describe("A server that speaks the KServe v2 (Open Inference) protocol over gRPC: Triton, KServe and others."),
  })
  .describe("A model on a server.");

const weight = z.number().positive().default(1).describe("Weight in the mean; weights are divided by their sum.");

const ensemble = z
  .strictObject({
    ensemble: z
      .array(z.union([loadAny.extend({ weight }), remote.extend({ weight })]))
      .min(2)
      .describe("The members: each loads or is remote."),
    mean: z
      .enum(["probabilities", "logits"])
      .default("probabilities")
      .describe(
        "What is averaged: the distributions softened by `distil.temperature` (Hinton et al. 2015), or the logits. The mean of distributions is served as the logits that have it at that temperature, and evaluated as such.",
      ),
    workers: z
      .enum(["together", "apart"])
      .default("together")
      .describe(
        "`together`: every teacher worker asks all members. `apart`: each loads and serves one of them, students ask a worker of each and take the mean; `workers.teachers` must be at least the number of members. Changes no bit of the result, whatever `softTargets.format` says: members' logits travel as float32, and the mean is rounded to the format where it is taken.",
      ),
  })
  .describe("Several teachers as one.");

export const teacher = z.union([mlp, cnn, loadAny, module, remote, ensemble]);
export type TeacherSpec = z.output<typeof teacher>;
export type LoadSpec = z.output<typeof loadAny>;
export type RemoteSpec = z.output<typeof remote>;
export type EnsembleSpec = z.output<typeof ensemble>;
/** How one input becomes one row of logits. */
export type AskedSpec = Pick<LoadSpec, "input" | "output" | "layout" | "gives" | "batch">;

/** The field that says where a trained teacher is; null for one that is trained here. */
export function sourceOfTeacher(spec: TeacherSpec): "load" | "remote" | "ensemble" | null {
  for (const source of ["load", "remote", "ensemble"] as const) if (source in spec) return source;
  return null;
}

/** The teacher says that it gives probabilities, or their logarithms: they must sum to one. An ensemble makes its own. */
export function claimsProbabilities(spec: TeacherSpec): boolean {
  const gives = "remote" in spec ? spec.remote.gives : "load" in spec ? spec.gives : undefined;
  return gives === "probabilities" || gives === "logProbabilities";
}

/** Seconds that the servers of a teacher may take for an answer; 0 where it asks none. */
export function serverSeconds(spec: TeacherSpec): number {
  const parts = "ensemble" in spec ? spec.ensemble : [spec];
  return Math.max(...parts.map((part) => ("remote" in part ? part.remote.timeoutSeconds : 0)));
}

/** The servers that an answer of the teacher is waited for from, in words; empty where it is computed by who serves it (L7). */
export function serversOf(spec: TeacherSpec): string {
  const parts = "ensemble" in spec ? spec.ensemble : [spec];
  const servers = parts.flatMap((part) => ("remote" in part ? [`${part.remote.model} at ${part.remote.address}`] : []));
  return servers.join(", ");
}
