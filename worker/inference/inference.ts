/** Models that are asked and not trained: what the compute thread needs of them, whatever computes them. */
import { LimbeckError } from "../../core/errors.ts";
import { excerpt } from "../../core/words.ts";
import { reasonOf } from "../learn/reason.ts";

/** Holds a constant number of tensors between calls (L8). */
export interface Inference {
  /** Digest of all that decides its logits, as far as this side can know it. */
  readonly sha256: string;
  /**
   * @param inputs at least [count, ...shape of an example], in the dataset's layout; not changed until the answer
   * @returns logits [count, classes]
   */
  logits(inputs: Float32Array, count: number): Promise<Float32Array>;
  dispose(): Promise<void>;
}

/** What a model must fit, and where the user said so. */
export interface Fit {
  /** The field of the job that the model stands in: "teacher", "teacher.ensemble.1". */
  readonly field: string;
  /** Of one example of the dataset. */
  readonly inputShape: readonly number[];
  /** Of the dataset. */
  readonly classes: number;
}

/** Sides of a tensor; null for a side that may be any. */
export type DeclaredShape = readonly (number | null)[];

/** A tensor as a model declares it. */
export interface DeclaredTensor {
  readonly name: string;
  /** As the runtime names it. */
  readonly type: string;
  /** null where it is not said. */
  readonly shape: DeclaredShape | null;
}

/** A model in its runtime: one float32 tensor in, one out. */
export interface Runner {
  /** For messages: the path, or the model's name and the server's address. */
  readonly name: string;
  /** Digest of the model, however it is asked. */
  readonly sha256: string;
  readonly input: DeclaredTensor;
  readonly output: DeclaredTensor;
  /** @param values row-major, of this shape */
  run(values: Float32Array, shape: readonly number[]): Promise<Tensor>;
  dispose(): Promise<void>;
}

export interface Tensor {
  readonly shape: readonly number[];
  /** Row-major. */
  readonly values: Float32Array;
}

/** Which of a model's tensors is meant, and of what type it must be. */
export interface Choice {
  readonly kind: "input" | "output";
  /** The name the user gave. */
  readonly given: string | undefined;
  /** The runtime's word for float32. */
  readonly float32: string;
  readonly field: string;
  readonly model: string;
}

/** The tensor that is meant. @throws `bad_model` that names the field and what would be right */
export function chosenTensor(declared: readonly DeclaredTensor[], choice: Choice): DeclaredTensor {
  const { kind, given, float32, field, model } = choice;
  const names = excerpt(declared.map(({ name }) => name).join(", "), 300) || "none";
  if (given === undefined && declared.length !== 1) {
    const message = `${field}.${kind}: needed, for ${model} has ${declared.length} ${kind}s: give one of ${names}`;
    throw new LimbeckError("bad_model", message);
  }
  const found = given === undefined ? declared[0] : declared.find(({ name }) => name === given);
  if (!found)
    throw new LimbeckError("bad_model", `${field}.${kind}: ${model} has no ${kind} ${given}, it has ${names}`);
  if (found.type === float32) return found;
  throw new LimbeckError(
    "bad_model",
    `${field}: the ${kind} ${excerpt(found.name)} of ${model} is ${excerpt(found.type)}, only ${float32} is supported`,
  );
}

/** `[any, 28, 28, 1]` */
export function bracketed(shape: DeclaredShape): string {
  return `[${excerpt(shape.map((side) => side ?? "any").join(", "))}]`;
}

/** Runs what a runtime may refuse; throws `bad_model` with what it was, and the runtime's reason. */
export async function refused<T>(what: string, work: () => T | Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    throw new LimbeckError("bad_model", `${what}: ${reasonOf(cause)}`, { cause });
  }
}
