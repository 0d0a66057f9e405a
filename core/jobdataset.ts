/** The part of the job schema that says where the examples come from. */
import { z } from "zod";

const count = z.int().positive();

export const dataset = z
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
    classes: count
      .min(2)
      .max(1 << 16)
      .optional()
      .describe("Number of classes; without it, the largest training label plus one."),
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
