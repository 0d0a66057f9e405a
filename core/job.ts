/**
 * The job: everything that decides the result, in one strict schema. Descriptions are the reference page
 * (docs/job.md is generated from them). Parse at the door; inside, types are true.
 */
import { z } from "zod";
import { dataset } from "./jobdataset.ts";
import { evaluation, model, optimizer, schedule, views } from "./jobparts.ts";
import { checkRules } from "./jobrules.ts";
import { teacher } from "./jobteacher.ts";

const count = z.int().positive();

const phase = {
  optimizer: optimizer,
  schedule: schedule.prefault({ kind: "constant" }),
  views: views.prefault({}),
};

const budget = {
  epochs: count.optional().describe("Passes over the training split; give this or `steps`."),
  steps: count.optional().describe("Optimizer updates; give this or `epochs`."),
};

const cache = z
  .union([
    z.literal(false),
    z.strictObject({
      dir: z
        .string()
        .optional()
        .describe("Folder that all jobs and workers of a host share; without it `softtargets` in Limbeck's own cache."),
      maxBytes: count
        .default(8 * 2 ** 30)
        .describe("Bound of the whole folder: what was used least recently makes room for what a job needs."),
    }),
  ])
  .prefault({})
  .describe(
    "Soft targets kept on disk for later epochs, students and jobs, where views come again; `false` for none. Changes no bit of the result.",
  );

const fields = z.strictObject({
  name: z
    .string()
    .regex(
      /^[a-z0-9][a-z0-9._-]*$/i,
      "must be letters, digits, dots, dashes and underscores, the first a letter or digit",
    )
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
        .describe(
          "Lanes per step: the fixed slices of every global batch, dealt to the students. At least as many as students.",
        ),
      batch: count
        .max(1 << 20)
        .default(32)
        .describe("Examples per lane."),
    })
    .prefault({})
    .describe("A step's global batch is `count` times `batch` examples."),
  teacher: teacher.describe(
    "The teacher: a model to train; or a trained one to load, to ask on a server, or several of these as one.",
  ),
  student: model.describe("The student."),
  teach: z
    .strictObject({ ...budget, ...phase })
    .optional()
    .describe(
      "How the teacher is trained on hard labels. Needed unless the teacher is a trained one (`load`, `remote`, `ensemble`), and refused if it is.",
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
        .enum(["float16", "float32", "topk"])
        .default("float16")
        .describe(
          "How logits travel; float16 halves the bytes, `topk` sends the `k` largest and the mass of the others. What that costs is measured and reported.",
        ),
      k: count.default(32).describe("Of topk: logits kept per example."),
      inputs: z
        .enum(["ids", "tensors"])
        .default("ids")
        .describe(
          "What a teacher is asked with. `ids`: it reads the dataset and makes the view itself. `tensors`: students send the inputs, and a teacher needs no dataset; in exact numerics a lane must then fit into a message of 64 MiB. Changes no bit of the result.",
        ),
      aheadBytes: count
        .default(64 * 2 ** 20)
        .describe(
          "Bound of the logits, and of the inputs that are sent for them, that a student asks for in advance; how far ahead is found by measuring.",
        ),
      onNoTeacher: z
        .enum(["wait", "fail"])
        .default("wait")
        .describe(
          "What happens when a soft target is needed and no teacher is left, or the teacher's server (`remote`) is away: wait, visibly, or fail the job.",
        ),
      cache,
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
  verification: z
    .strictObject({
      everySteps: z
        .int()
        .min(0)
        .default(100)
        .describe("Steps between comparisons of all replicas' weights; 0 compares at checkpoints only."),
    })
    .prefault({})
    .describe("Replicas that should be equal are compared; one that differs is thrown out and healed."),
  nonFinite: z
    .strictObject({
      inARow: count
        .default(5)
        .describe("Steps in a row that may be skipped because their gradient is not finite; one more fails the job."),
    })
    .prefault({})
    .describe("Steps whose loss or gradient is not finite are skipped by all replicas; see `quarantine.jsonl`."),
  doctor: z
    .union([
      z.literal(false),
      z.strictObject({
        canaryEverySteps: z
          .int()
          .min(0)
          .default(50)
          .describe(
            "Steps after which a student asks again, in another order and of another teacher where there is one, for soft targets that it was given; 0 for never. Targets that differ fail the job.",
          ),
      }),
    ])
    .prefault({})
    .describe(
      "Checks of teacher, student and their path before the first step; what they refuse ends the job. `false` for none, as `--no-doctor`.",
    ),
  workers: z
    .strictObject({
      students: z
        .union([
          count.max(1024),
          z.strictObject({
            min: count.max(1024).describe("The job starts with these, and pauses while there are fewer."),
            max: count.max(1024).describe("More than these stand by."),
          }),
        ])
        .default(2)
        .describe("Workers that train: a number, or the fewest and the most."),
      teachers: count.max(1024).default(1).describe("Workers that serve soft targets: the job starts with these."),
      roles: z
        .enum(["fixed", "auto"])
        .default("fixed")
        .describe(
          "`fixed`: as many students and teachers as given. `auto`: that is only where it begins; `limbeck run` starts all with `--role auto`, and the coordinator keeps the split of them that is measured to be the fastest.",
        ),
    })
    .prefault({})
    .describe("Workers the job wants. `limbeck run` starts the teachers and the fewest students."),
});

/** Parses a job, and holds it to the rules between its fields (core/jobrules.ts). */
export const jobSchema = fields.superRefine(checkRules);
/** The job with every default filled in. */
export type Job = z.output<typeof fields>;
/** The job as a user may write it. */
export type JobInput = z.input<typeof fields>;
