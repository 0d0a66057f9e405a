/** What a seed makes of the job and of the machines it runs on. */
import { standbyPatience, usualPatience } from "../../coordinator/patience.ts";
import type { Plan } from "../../coordinator/state.ts";
import { type Job, jobSchema } from "../../core/job.ts";
import { between, whole } from "./world.ts";

export const buildOfAll = "1.0.0";

export interface Scene {
  readonly job: Job;
  readonly plan: Plan;
  readonly students: number;
  readonly teachers: number;
  /** One alone has its journal in a folder; of several the one that has the lease decides. */
  readonly coordinators: readonly string[];
  /** By the addresses given, or by the lease's key. */
  readonly finding: "given" | "key";
  /** Which machines come with the role auto. */
  readonly autos: "none" | "some" | "all";
  readonly trainExamples: number;
  readonly evaluationExamples: number;
  /** For a lane, on a machine as fast as most. */
  readonly laneMs: number;
  /** A teacher's for the soft targets of a lane, one after the other. */
  readonly servingMs: number;
  /** Chance that a payload comes damaged. */
  readonly damage: number;
  readonly gradientMs: number;
  readonly transferMs: number;
  readonly softTargetsMs: number;
  /** "stage/step/lane" */
  readonly poison: ReadonlySet<string>;
  /** Soft targets of this step are in a cache that all students read. */
  isCached(step: number): boolean;
}

export const engineOf = {
  backend: "wasm",
  tensorflowVersion: null,
  device: "cpu",
  gpu: false,
  threads: 1,
  why: "asked for",
  fingerprint: "e",
} as const;

export function datasetOf({ trainExamples, evaluationExamples }: Scene) {
  return { trainExamples, evaluationExamples, classes: 2, shape: [2], digest: "d", classNames: [] };
}

export function sceneOf(random: () => number, { isAlone }: { readonly isAlone: boolean }): Scene {
  const lanes = [8, 8, 8, 5, 6, 12][whole(random, 0, 5)]!;
  const most = whole(random, 1, Math.min(8, lanes));
  const min = Math.min(most, random() < 0.6 ? 1 : 2);
  const loads = random() < 0.2;
  const optimizer = { kind: "sgd", learningRate: 0.1 } as const;
  const model = { kind: "mlp", widths: [2] } as const;
  const length = () => (random() < 0.5 ? { epochs: whole(random, 2, 4) } : { steps: whole(random, 6, 18) });
  const few = random() < 0.7 ? 1 : 2;
  const seed = whole(random, 0, 1000);
  // Half of the given teachers are ensembles whose members have workers of their own.
  const isApart = loads && seed % 2 === 0;
  const teachers = isApart ? few + 1 : few;
  const ensemble = { ensemble: [{ load: "a" }, { load: "b", weight: 2 }], workers: "apart" };
  const job = jobSchema.parse({
    name: "sim",
    seed,
    dataset: { kind: "csv", path: ".", train: { examples: "a.csv" }, test: { examples: "b.csv" }, label: "label" },
    lanes: { count: lanes, batch: whole(random, 1, 2) },
    teacher: isApart ? ensemble : loads ? { load: "teacher" } : model,
    student: model,
    ...(loads ? {} : { teach: { ...length(), optimizer } }),
    distil: { temperature: 2, softWeight: 0.5, ...length(), optimizer },
    baseline: random() < 0.5,
    evaluation: { everyEpochs: whole(random, 0, 2) },
    checkpoint: { everySteps: whole(random, 0, 5), keep: whole(random, 1, 3) },
    verification: { everySteps: whole(random, 1, 4) },
    nonFinite: { inARow: 3 },
    workers: { students: { min, max: most }, teachers },
  });
  const poison = new Set<string>();
  if (random() < 0.25) {
    for (let at = 0; at < 3; at++)
      poison.add(`${whole(random, 0, 2)}/${whole(random, 0, 12)}/${whole(random, 0, lanes - 1)}`);
  }
  const scene = {
    students: whole(random, min, most),
    teachers,
    trainExamples: whole(random, 17, 60),
    evaluationExamples: whole(random, 3, 8),
    laneMs: between(random, 5, 60),
    damage: random() < 0.1 ? 0.01 : 0,
    gradientMs: 5_000,
    transferMs: 4_000,
    softTargetsMs: 4_000,
    poison,
  };
  const autos = (["none", "some", "all", "all"] as const)[whole(random, 0, 3)]!;
  const distil = { ...job.distil, epochs: undefined, steps: whole(random, 10, 40) };
  const workers = { students: min, teachers, roles: "auto" } as const;
  const placed: Job = autos === "all" ? { ...job, distil, workers } : job;
  const servingMs = between(random, 1, 5) * (random() < 0.4 ? 10 : 1);
  const [cachedFrom, cachedTo] = random() < 0.3 ? [whole(random, 0, 8), whole(random, 4, 30)] : [0, 0];
  const isCached = (step: number) => step >= cachedFrom && step < cachedTo;
  const plan = planOf(placed, isAlone);
  return { ...scene, ...coordination(random, isAlone), job: placed, plan, autos, servingMs, isCached };
}

function coordination(random: () => number, isAlone: boolean): Pick<Scene, "coordinators" | "finding"> {
  if (isAlone) return { coordinators: ["coordinator"], finding: "given" };
  const coordinators = Array.from({ length: random() < 0.6 ? 2 : 3 }, (_, at) => `coordinator-${at + 1}`);
  return { coordinators, finding: random() < 0.5 ? "given" : "key" };
}

/** Splits are judged within a few steps, so that roles change often in jobs this short. */
function planOf(job: Job, isAlone: boolean): Plan {
  const identity = { id: "", sources: [], jobFolder: "/job", runFolder: "/run", build: buildOfAll };
  const serving = isAlone ? usualPatience : { ...usualPatience, ...standbyPatience };
  const patience = { ...serving, splitMs: 60, splitSteps: 2, resplitMs: 200 };
  return { job, ...identity, heartbeatMs: 250, patience, predicted: null };
}
