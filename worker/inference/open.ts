/** Any model of a job, by what its spec says and its files are. */
import { existsSync } from "node:fs";
import { stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import { LimbeckError } from "../../core/errors.ts";
import type { EnsembleSpec, LoadSpec, RemoteSpec, TeacherSpec } from "../../core/jobteacher.ts";
import { mixtureOf } from "../../core/mixture.ts";
import { readFileWithin } from "../../proto/files.ts";
import { weightsSha256 } from "../artifacts/digest.ts";
import type { Engine } from "../engine/engine.ts";
import { buildNetwork, Network, type NetworkRequest } from "../learn/network.ts";
import { ensembleOf } from "./ensemble.ts";
import { fitted } from "./fitted.ts";
import { openGraphModel } from "./graphmodel.ts";
import type { Fit, Inference, Runner } from "./inference.ts";
import { openOnnx } from "./onnx.ts";
import { openSavedModel } from "./savedmodel.ts";

export interface ModelRequest extends Omit<NetworkRequest, "spec"> {
  readonly spec: TeacherSpec;
  /** T of the distillation: the mean of an ensemble depends on it. */
  readonly temperature: number;
}

type Given = LoadSpec | RemoteSpec;

/**
 * Builds, loads or reaches the model. What can be trained is a network; the rest is only asked.
 * @throws LimbeckError `bad_model`, or `server_away`, naming the field and what would be right
 */
export async function openModel(engine: Engine, request: ModelRequest): Promise<Network | Inference> {
  const { spec, role: field } = request;
  if ("ensemble" in spec) return await openEnsemble(engine, spec, request);
  if ("remote" in spec || "load" in spec) return await openGiven(engine, spec, request, field);
  return await buildNetwork(engine, { ...request, spec });
}

async function openEnsemble(engine: Engine, spec: EnsembleSpec, request: ModelRequest): Promise<Inference> {
  const members: Inference[] = [];
  try {
    for (const [at, { weight: _, ...member }] of spec.ensemble.entries()) {
      const model = await openGiven(engine, member as Given, request, `teacher.ensemble.${at}`);
      members.push(model instanceof Network ? asInference(model) : model);
    }
  } catch (thrown) {
    for (const member of members) await member.dispose();
    throw thrown;
  }
  return ensembleOf(members, mixtureOf(spec, request.temperature), request.classes);
}

async function openGiven(
  engine: Engine,
  spec: Given,
  request: ModelRequest,
  field: string,
): Promise<Network | Inference> {
  const { inputShape, classes, jobFolder } = request;
  const fit: Fit = { field, inputShape, classes };
  if ("remote" in spec) {
    // gRPC takes longer to import than the rest of the compute thread, and few ask a server there.
    const { openRemote } = await import("./remote.ts");
    const runner = await openRemote(spec.remote, fit, jobFolder);
    return await fitted(runner, spec.remote, { ...fit, field: `${field}.remote` });
  }
  const path = resolve(jobFolder, spec.load);
  const format = spec.format ?? (await formatOf(path));
  if (format !== "layers") {
    if (!existsSync(path)) throw new LimbeckError("bad_model", `${field}.load: there is no ${path}`);
    return await fitted(await openFile(engine, { ...spec, format, path }, fit), spec, fit);
  }
  refuseForLayers(spec, path, field);
  return await buildNetwork(engine, { ...request, spec: { load: spec.load }, role: field });
}

type File = LoadSpec & { readonly format: Exclude<LoadSpec["format"], "layers" | undefined>; readonly path: string };

function openFile(engine: Engine, file: File, fit: Fit): Promise<Runner> {
  switch (file.format) {
    case "graph":
      return openGraphModel(engine.tf, file.path, file, fit);
    case "savedmodel":
      return openSavedModel(engine, file.path, file, fit);
    case "onnx":
      return openOnnx(file.path, { ...file, threads: engine.info.threads }, fit);
  }
}

/** What the files are; a LayersModel where they do not say, which then is refused by name. */
async function formatOf(path: string): Promise<NonNullable<LoadSpec["format"]>> {
  if (path.endsWith(".onnx")) return "onnx";
  if (existsSync(join(path, "saved_model.pb"))) return "savedmodel";
  const isFolder = await stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
  const json = isFolder ? join(path, "model.json") : path;
  const text = await readFileWithin(json).then(String, () => "");
  return /"format"\s*:\s*"graph-model"/.test(text) ? "graph" : "layers";
}

function refuseForLayers(spec: LoadSpec, path: string, field: string): void {
  const wrong = (["input", "output", "layout", "gives", "batch", "signature"] as const).find(
    (key) => spec[key] !== undefined,
  );
  if (wrong === undefined) return;
  throw new LimbeckError(
    "bad_model",
    `${field}.${wrong}: is not for a tfjs LayersModel, which ${path} is: leave it out`,
  );
}

function asInference(network: Network): Inference {
  return {
    sha256: weightsSha256(network.order, network.layout, network.initialWeights()),
    logits: async (inputs, count) => network.logits(inputs, count),
    dispose: async () => network.dispose(),
  };
}
