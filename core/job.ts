/**
 * The job: everything that decides the result, in one strict schema. Descriptions are the reference page
 * (docs/job.md is generated from them). Parse at the door; inside, types are true.
 */
import { z } from "zod";
import { evaluation, model, optimizer, schedule, views } from "./jobparts.ts";

const count = z.int().positive();

const dataset = z
  .strictObject({
    kind: z
      .enum(["idx", "csv"])
      .describe("`idx`: MNIST's format, plain or .gz. `csv`: one example per row, with a header row."),
    path: z
      .string()
      .describe(
        "Folder of the files, relative to the job file; `npm:PACKAGE/FOLDER` finds it inside an installed npm package.",
      ),
    train: z
      .strictObject({
        examples: z.string().describe("File of the training examples (idx images, or the CSV file)."),
        labels: z.string().optional().describe("File of the labels (idx only)."),
      })
      .describe("Files of the training split."),
    test: z
      .strictObject({
        examples: z.string().describe("File of the test examples."),
        labels: z.string().optional().describe("File of the labels (idx only)."),
      })
      .describe("Files of the test split."),
    label: z.string().optional().describe("Name of the label column (csv only)."),
    classes: count.min(2).optional().describe("Number of classes; without it, the largest training label plus one."),
    validation: z
      .int()
      .min(0)
      .default(0)
      .describe(
        "Examples held out of the training split, chosen by a fixed permutation, for tuning; `evaluation.split: validation` evaluates on them.",
      ),
    limit: count.optional().describe("Use only this many training examples (the first by file order)."),
    testLimit: count.optional().describe("Use only this many test examples (the first by file order)."),
    normalization: z
      .union([
        z.enum(["none", "unit", "standardize"]),
        z.strictObject({
          mean: z.number().describe("Subtracted, after scaling bytes to [0,1]."),
          std: z.number().positive().describe("Divided by."),
        }),
      ])
      .default("unit")
      .describe(
        "`none`; `unit`: to [0,1] (bytes by 255, CSV columns by their range in the training split); `standardize`: zero mean and unit variance measured on the training split (images: one mean; CSV: per column); or a given `{mean, std}`.",
      ),
  })
  .describe("Where the examples come from.");

const phase = {
  optimizer: optimizer,
  schedule: schedule.prefault({ kind: "constant" }),
  views: views.prefault({}),
};

const budget = {
  epochs: count.optional().describe("Passes over the training split; give this or `steps`."),
  steps: count.optional().describe("Optimizer updates; give this or `epochs`."),
};

const schema = z
  .strictObject({
    name: z
      .string()
      .regex(/^[a-z0-9][a-z0-9._-]*$/i, "letters, digits, dot, dash and underscore only")
      .describe("Name of the job; the default run folder starts with it."),
    seed: z.int().min(0).max(0xffffffff).default(1).describe("The seed of every random draw of the job."),
    numerics: z
      .enum(["exact", "fast"])
      .default("exact")
      .describe(
        "`exact`: the same weights, bit for bit, for any number of workers. `fast`: a worker's lanes are merged into one batch; everything but bit equality is kept.",
      ),
    engine: z
      .enum(["auto", "tensorflow", "gpu", "wasm"])
      .default("auto")
      .describe(
        "What computes. `auto` takes TensorFlow where it can be had, else WebAssembly, and says which; the others fail when they cannot be had.",
      ),
    threads: count
      .max(256)
      .default(1)
      .describe("Compute threads per worker. Part of the job, for TensorFlow's bits may differ between thread counts."),
    dataset,
    lanes: z
      .strictObject({
        count: count
          .max(4096)
          .default(8)
          .describe("Lanes per step: the fixed slices of every global batch that are dealt to the students."),
        batch: count
          .max(1 << 20)
          .default(32)
          .describe("Examples per lane."),
      })
      .prefault({})
      .describe("A step's global batch is `count` times `batch` examples."),
    teacher: model.describe("The teacher: a built-in model to train, or `load:` a trained one."),
    student: model.describe("The student."),
    teach: z
      .strictObject({ ...budget, ...phase })
      .optional()
      .describe(
        "How the teacher is trained on hard labels. Needed unless `teacher.load` names a model, and refused if it does.",
      ),
    distil: z
      .strictObject({
        temperature: z.number().positive().describe("T of Hinton et al. 2015: the logits of both are divided by it."),
        softWeight: z
          .number()
          .min(0)
          .max(1)
          .describe("Weight of the soft term: loss = (1 - softWeight)·CE(labels) + softWeight·T²·CE(soft targets)."),
        ...budget,
        ...phase,
      })
      .describe("How the student learns from labels and soft targets."),
    baseline: z
      .boolean()
      .default(true)
      .describe("Train the same student, same seed and budget, without a teacher, to see what the teacher is worth."),
    softTargets: z
      .strictObject({
        format: z
          .enum(["float16", "float32"])
          .default("float16")
          .describe("How logits travel; float16 halves the bytes."),
        ahead: count.max(64).default(3).describe("Steps for which soft targets are asked in advance."),
      })
      .prefault({})
      .describe("How soft targets travel from teacher to student."),
    evaluation,
    checkpoint: z
      .strictObject({
        everySteps: z
          .int()
          .min(0)
          .default(500)
          .describe("Steps between checkpoints; 0 keeps only the one at the end of each stage."),
        keep: count.default(2).describe("Checkpoints kept per stage; older ones are deleted."),
      })
      .prefault({})
      .describe("Checkpoints, written whole."),
    workers: z
      .strictObject({
        students: count.max(1024).default(2).describe("Worker processes that train."),
        teachers: count.max(1024).default(1).describe("Worker processes that serve soft targets."),
      })
      .prefault({})
      .describe("Workers that `limbeck run` starts."),
  })
  .superRefine((job, context) => {
    const refuse = (path: (string | number)[], message: string) => context.addIssue({ code: "custom", path, message });
    for (const stage of ["teach", "distil"] as const) {
      const given = job[stage];
      if (given && (given.epochs === undefined) === (given.steps === undefined)) {
        refuse([stage], "give either epochs or steps");
      }
    }
    const loads = "load" in job.teacher;
    if (loads && job.teach)
      refuse(["teach"], "the teacher is loaded, so there is nothing to teach: remove teach or teacher.load");
    if (!loads && !job.teach)
      refuse(["teach"], "needed to train the teacher, unless teacher.load names a trained model");
    if (job.lanes.count < job.workers.students) {
      refuse(
        ["lanes", "count"],
        `${job.lanes.count} lanes cannot be dealt to ${job.workers.students} students: every student needs at least one`,
      );
    }
    for (const split of ["train", "test"] as const) {
      const labels = job.dataset[split].labels;
      if (job.dataset.kind === "idx" && labels === undefined) refuse(["dataset", split, "labels"], "needed for idx");
      if (job.dataset.kind === "csv" && labels !== undefined)
        refuse(["dataset", split, "labels"], "csv takes its labels from the column named by dataset.label");
    }
    if (job.dataset.kind === "csv" && job.dataset.label === undefined)
      refuse(["dataset", "label"], "needed for csv: the name of the label column");
    if (job.evaluation.split === "validation" && job.dataset.validation === 0) {
      refuse(["evaluation", "split"], "validation needs dataset.validation examples held out");
    }
    const shapes = { teacher: job.teacher, student: job.student };
    const wide = Object.entries(shapes).flatMap(([role, spec]) =>
      "classes" in spec && spec.classes !== undefined ? [{ role, classes: spec.classes }] : [],
    );
    for (const { role, classes } of wide) {
      if (job.dataset.classes !== undefined && classes !== job.dataset.classes) {
        refuse([role, "classes"], `the ${role} has ${classes} classes, the dataset ${job.dataset.classes}`);
      }
    }
    if (wide.length === 2 && wide[0]!.classes !== wide[1]!.classes) {
      refuse(["student", "classes"], `the teacher has ${wide[0]!.classes} classes, the student ${wide[1]!.classes}`);
    }
  });

export const jobSchema = schema;
/** The job with every default filled in. */
export type Job = z.output<typeof schema>;
/** The job as a user may write it. */
export type JobInput = z.input<typeof schema>;
